//! `proximity events`.

use std::io;

use api::Event;

use crate::{
    Console,
    client::Client,
    error::Error,
    events::{Followed, Follower},
    text::clean,
};

/// Which events.
#[derive(clap::Args)]
pub struct Arguments {
    /// Go on with each event as it comes, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// So many of the last ones
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Prints the last events, and with `follow` those that come.
pub(crate) async fn run(
    arguments: &Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let query = [
        ("format", "json".to_owned()),
        ("limit", arguments.limit.to_string()),
    ];
    let most = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let events: Vec<Event> = client.list("/events", &query, Some(most)).await?;
    if !arguments.follow {
        if !console.value(&events)? {
            for event in &events {
                console.say(&line(event))?;
            }
        }
        return Ok(());
    }
    for event in &events {
        tell(console, event)?;
    }
    // Where nothing has happened yet, everything that will is new.
    let last = events.last().map_or(0, |event| event.id);
    let mut following = Follower::new(client, "/events".to_owned(), Some(last));
    loop {
        match following.next().await? {
            Followed::Event(event) => tell(console, &event)?,
            // The service is stopping, perhaps to come back.
            Followed::End => following.rest().await,
            Followed::Lost(reason) => console.note(&format!("{}; trying again", clean(&reason)))?,
        }
    }
}

fn tell(console: &mut Console, event: &Event) -> io::Result<()> {
    if console.row(event)? {
        return Ok(());
    }
    console.say(&line(event))
}

fn line(event: &Event) -> String {
    let time = event.time.format("%Y-%m-%dT%H:%M:%SZ");
    let mut line = format!("{time}  {}  {}", event.operation, event.kind);
    for part in [&event.step, &event.message].into_iter().flatten() {
        line.push_str("  ");
        line.push_str(&clean(part));
    }
    line
}

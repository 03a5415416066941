//! `proximity logs`.

use reqwest::Method;

use crate::{
    Console,
    client::{Client, given, segment},
    error::Error,
};

/// Which logs.
#[derive(clap::Args)]
pub struct Arguments {
    /// Name or id of the app
    name: String,
    /// Only those of this service
    #[arg(long)]
    service: Option<String>,
    /// So many of the last lines of each service
    #[arg(long, value_name = "N")]
    tail: Option<u32>,
    /// Only those since then: a time such as 2026-01-31T12:00:00Z, or a length of time such as 10m
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Go on with each line as it comes, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

/// Prints logs, byte for byte: they are text of the app whatever `--output` says.
pub(crate) async fn run(
    arguments: &Arguments,
    client: &Client,
    console: &mut Console,
) -> Result<(), Error> {
    let path = format!("/apps/{}/logs", segment(&arguments.name)?);
    let query = [
        ("service", arguments.service.clone()),
        ("tail", arguments.tail.map(|tail| tail.to_string())),
        ("since", arguments.since.clone()),
        ("follow", arguments.follow.then(|| "true".to_owned())),
    ];
    let query = given(query);
    let request = client.request(Method::GET, &path).query(&query);
    let mut response = client.send(request).await?;
    while let Some(bytes) = response
        .chunk()
        .await
        .map_err(|error| client.lost(&error))?
    {
        console.pass(&bytes)?;
    }
    Ok(())
}

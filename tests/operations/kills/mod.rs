//! The service is killed at random moments, again and again, while people work with it; at the end everything
//! agrees.
//!
//! `KILLS=5000 SEED=7 cargo nextest run -p proximity --test it kills` runs it longer and by another seed. The seed
//! decides what is asked for and when it is killed; what the machine does in between it cannot decide.

mod ears;
mod hand;
mod killer;
mod tally;
pub(crate) mod verdict;

use std::time::Duration;

use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use ears::Ears;
use hand::Hand;
use tally::Tally;

use crate::world::{Actor, PASSWORD, Service, Simulator};

/// How much is done, and by which numbers.
pub(crate) struct Plan {
    /// How often the service is killed.
    pub(crate) kills: usize,
    /// People who work at the same time.
    pub(crate) hands: u64,
    /// Where all random numbers begin.
    pub(crate) seed: u64,
    /// What is deployed.
    pub(crate) catalog: &'static [&'static str],
    /// A kill comes at most so long after its service's first event, where it goes by time.
    pub(crate) longest: Duration,
    /// And after at most so many events, where it goes by these.
    pub(crate) most_events: usize,
}

impl Plan {
    /// `KILLS` and `SEED` of the environment go before what a test says.
    pub(crate) fn new(kills: usize, hands: u64, catalog: &'static [&'static str]) -> Self {
        let seed = number("SEED").unwrap_or_else(|| u64::from(std::process::id()));
        let kills = number("KILLS").map_or(kills, |number| number.try_into().expect("a number"));
        println!("SEED={seed} KILLS={kills}");
        Self {
            kills,
            hands,
            seed,
            catalog,
            longest: Duration::from_millis(250),
            most_events: 25,
        }
    }

    /// Where things take their time: a step is met in its middle, and gets further between two deaths.
    pub(crate) fn patient(mut self) -> Self {
        self.longest = Duration::from_secs(12);
        self.most_events = 60;
        self
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

/// Where the service listens, life after life: an address of this test's own, so that nobody else is met there while
/// it is dead.
pub(crate) fn own_address() -> String {
    let own = std::process::id();
    format!("127.77.{}.{}:8765", own >> 8 & 0xff, own & 0xff)
}

/// Lets people work and kills the service as planned; answers what came of it, once everything rests.
pub(crate) async fn run(service: &mut Service, admin: &Actor, plan: &Plan) -> Tally {
    let ears = Ears::new();
    let mut listening = JoinSet::new();
    listening.spawn(ears.clone().listen(admin.clone()));
    let stop = CancellationToken::new();
    let mut hands = JoinSet::new();
    for number in 0..plan.hands {
        let hand = Hand::new(admin.clone(), number, plan.seed, plan.catalog);
        hands.spawn(hand.work(stop.clone()));
    }
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let mut kills = Vec::new();
    while kills.len() < plan.kills {
        kills.push(killer::kill(service, &ears, &mut rng, plan).await);
        if let Some(ended) = hands.try_join_next() {
            panic!("a hand stopped: {ended:?}");
        }
    }
    stop.cancel();
    let (mut asked, mut repeated) = (Vec::new(), 0);
    while let Some(hand) = hands.join_next().await {
        let (operations, again) = hand.expect("no hand panics");
        asked.extend(operations);
        repeated += again;
    }
    Tally {
        kills,
        asked,
        repeated,
        ears,
    }
}

#[tokio::test]
async fn nothing_leaks_and_nothing_is_lost_however_often_the_service_is_killed() {
    let plan = Plan::new(300, 8, &["memos", "uptime-kuma", "ntfy"]);
    let cluster = Simulator::start(3, "127.0.0.120:0");
    let before = cluster.state().await;
    let data = tempfile::tempdir().unwrap();
    let mut settings = cluster.settings();
    settings.extend(
        [
            ("PROXIMITY_LISTEN", own_address()),
            ("PROXIMITY_DATA_DIR", data.path().display().to_string()),
            ("PROXIMITY_LEASE", "250ms".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let mut service = Service::start(data.path(), settings).await;
    let session = Actor::new(service.url()).login("admin", PASSWORD).await;
    let body = json!({"name": "test", "scopes": ["admin"]});
    let token = session.post("/api/v1/tokens", body).await;
    let admin = session.with_token(token.body["token"].as_str().unwrap());

    let tally = run(&mut service, &admin, &plan).await;
    let found = verdict::look(&admin, &before, &cluster.state().await, &tally).await;
    println!("{tally}\n{found}");
    found.must_be_clean(&service.log());
    let left = verdict::emptied(&admin, &before, async || cluster.state().await).await;
    assert!(left.is_empty(), "{}", left.join("\n"));
    service.stop().await;
    assert_eq!(tally.kills.len(), plan.kills);
}

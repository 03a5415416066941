//! Visitors: what a guest publishes opens in a browser on this machine for as long as its container runs.

use std::time::Instant;

use tokio_util::task::TaskTracker;

use super::super::loopback::Loopback;
use super::*;

const PROJECT: &str = "cd /opt/proximity/site && docker compose";
const COMPOSE: &str = "services:\n  web:\n    image: louislam/uptime-kuma:2.5.0\n    ports: ['18473:3001']\n  db:\n    image: postgres:17\n    ports: ['18474:5432']\n";
const PATIENCE: Duration = Duration::from_secs(20);

/// A guest that can be visited, and what keeps its doors.
struct House {
    world: World,
    address: String,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl House {
    async fn new() -> Self {
        // The client asks for one, also where nothing is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let faults = Arc::new(Faults::new());
        let guests = Modelled::new(Arc::clone(&faults), Pace::Instant)
            .on(Loopback::take().await.expect("a network is free"));
        let guests = Arc::new(guests);
        let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
        guests.open(&tracker, &shutdown);
        let spec = spec("alpine-3.23-default_20260116_amd64.tar.xz");
        let world = World::started(faults, guests, &spec).await;
        world.install().await;
        world.put("/opt/proximity/site/compose.yaml", COMPOSE).await;
        let address = world
            .good("ip -4 address show eth0 | sed -n 's,.*inet \\([0-9.]*\\)/.*,\\1,p'")
            .await;
        Self {
            world,
            address: address.trim().to_owned(),
            tracker,
            shutdown,
        }
    }

    async fn get(&self, port: u16, path: &str) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("http://{}:{port}{path}", self.address)).await;
        let answer = answer.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.text().await.ok()?))
    }

    /// Asks until somebody answers, or until nobody does any more.
    async fn asked_until(&self, answers: bool) -> Option<(u16, String)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(18_473, "/dashboard").await;
            if answer.is_some() == answers {
                return answer;
            }
            assert!(Instant::now() < deadline, "still {answer:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn an_app_answers_while_its_container_runs() {
    let house = House::new().await;
    assert!(house.address.starts_with("127."), "{}", house.address);
    assert_eq!(house.get(18_473, "/").await, None, "nothing runs yet");

    house.world.good(&format!("{PROJECT} up -d")).await;
    let (status, page) = house.asked_until(true).await.expect("an answer");
    assert_eq!(status, 200);
    for fact in [
        "notes",
        "louislam/uptime-kuma:2.5.0",
        "site-web-1",
        "101 on pve1",
        "/dashboard",
        "Simulation",
    ] {
        assert!(page.contains(fact), "{fact} is not in {page}");
    }
    let (_, health) = house.get(18_473, "/healthz").await.expect("an answer");
    assert_eq!(health, "OK\n");
    let (_, icon) = house.get(18_473, "/favicon.svg").await.expect("an answer");
    assert!(icon.starts_with("<svg"), "{icon}");
    assert_eq!(
        house.get(18_474, "/").await,
        None,
        "a database does not speak HTTP"
    );

    house.world.good(&format!("{PROJECT} stop web")).await;
    house.asked_until(false).await;
    house.world.good(&format!("{PROJECT} start web")).await;
    house.asked_until(true).await;
    house.world.guests.stop(VMID).await.unwrap();
    house.asked_until(false).await;
    house.world.guests.start(VMID).await.unwrap();
    house.world.good("until docker info >/dev/null; do sleep 1; done; cd /opt/proximity/site && docker compose up -d").await;
    house.asked_until(true).await;

    house.shutdown.cancel();
    house.tracker.close();
    tokio::time::timeout(PATIENCE, house.tracker.wait())
        .await
        .expect("the doors close");
    house.asked_until(false).await;
}

#[tokio::test]
async fn a_visit_is_in_the_log_at_once_for_those_who_follow_it() {
    let house = House::new().await;
    house.world.good(&format!("{PROJECT} up -d")).await;
    house.asked_until(true).await;
    let follow = format!("{PROJECT} logs -f --tail 0 | grep -m 1 /a-visit");
    let (line, ()) = tokio::join!(house.world.good(&follow), async {
        // Asks again: who follows may not have begun yet.
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            house.get(18_473, "/a-visit").await;
            if house.world.sh("ps | grep -q '[c]ompose logs'").await.code != 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(line.contains("GET /a-visit 200"), "{line}");
    assert!(
        line.contains("\u{1b}[32mINFO:"),
        "colours are kept: {line:?}"
    );
}

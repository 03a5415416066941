//! The service is killed while it works on real containers.

use super::is_possible;
use crate::{operations::kills, world::World};

#[tokio::test]
async fn nothing_leaks_and_nothing_is_lost_when_the_service_is_killed() {
    if !is_possible() {
        return;
    }
    let mut world = World::new()
        .lab()
        .set("PROXIMITY_LEASE", "2s")
        .set("PROXIMITY_LISTEN", &kills::own_address())
        .start()
        .await;
    let admin = world.admin().await;
    let plan = kills::Plan::new(8, 2, &["lab-echo", "lab-web"]).patient();
    let before = world.cluster().state().await;
    let tally = kills::run(world.service(), &admin, &plan).await;
    let after = world.cluster().state().await;
    let found = kills::verdict::look(&admin, &before, &after, &tally).await;
    println!("{tally}\n{found}");
    found.must_be_clean(&world.log());
    let left = kills::verdict::emptied(&admin, &before, async || world.cluster().state().await);
    assert_eq!(left.await, Vec::<String>::new());
    assert_eq!(world.lab().leftovers(), Vec::<String>::new());
    world.end().await;
}

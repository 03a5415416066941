//! A saga that waits for a person, and goes on when it is asked to.

use saga::{Failure, Outcome, drive, retry};
use tokio::time::Instant;

use crate::{
    work::{Build, Replace, UNDO_LIMIT, fresh, unwound},
    world::{Harm, Way, World, harm},
};

#[tokio::test(start_paused = true)]
async fn an_undo_that_takes_too_long_is_stuck() {
    let harms = [
        harm("create", Way::Run, Harm::Fail),
        harm("create", Way::Undo, Harm::Hang),
    ];
    let world = World::new(false, &harms);
    let began = Instant::now();
    let outcome = drive::<Build>(&fresh(), &world, &world.process())
        .await
        .unwrap();
    let message = "Step `create` did not finish within 9 seconds.";
    let hint =
        "Its last lines tell how far it came; a busy node or a slow storage are the usual causes.";
    let failure = Failure::new("step_timeout", message).hint(hint);
    assert_eq!(
        outcome,
        Outcome::Stuck {
            step: "create".to_owned(),
            failure,
            unwinding: true
        }
    );
    assert_eq!(began.elapsed().as_secs(), UNDO_LIMIT.as_secs());
}

#[tokio::test]
async fn a_stuck_undo_is_retried_and_the_first_failure_is_told() {
    let harms = [
        harm("start", Way::Run, Harm::Fail),
        harm("create", Way::Undo, Harm::Fail),
    ];
    let world = World::new(false, &harms);
    let journal = fresh();
    let failure = Failure::new("broken", "create broke at 1");
    let stuck = Outcome::Stuck {
        step: "create".to_owned(),
        failure,
        unwinding: true,
    };
    assert_eq!(
        drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap(),
        stuck
    );
    assert_eq!(
        drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap(),
        stuck,
        "it waits for a person"
    );
    assert_eq!(world.calls("create", Way::Undo), 1);

    assert!(retry::<Build>(&journal).await.unwrap());
    assert!(
        !retry::<Build>(&journal).await.unwrap(),
        "it is not stuck any more"
    );
    let (step, failure) = unwound(
        drive::<Build>(&journal, &world, &world.process())
            .await
            .unwrap(),
    );
    assert_eq!(
        (step.as_str(), failure.message.as_str()),
        ("start", "start broke at 1")
    );
    assert_eq!(
        (
            world.calls("start", Way::Undo),
            world.calls("create", Way::Undo)
        ),
        (1, 2)
    );
    assert!(world.is_clean());
}

#[tokio::test]
async fn a_step_stuck_after_the_pivot_is_retried_forward() {
    let world = World::new(false, &[harm("drain", Way::Run, Harm::Fail)]);
    let journal = fresh();
    let failure = Failure::new("broken", "drain broke at 1");
    let stuck = Outcome::Stuck {
        step: "drain".to_owned(),
        failure,
        unwinding: false,
    };
    assert_eq!(
        drive::<Replace>(&journal, &world, &world.process())
            .await
            .unwrap(),
        stuck
    );
    assert!(retry::<Replace>(&journal).await.unwrap());
    assert_eq!(
        drive::<Replace>(&journal, &world, &world.process())
            .await
            .unwrap(),
        Outcome::Completed
    );
    assert_eq!(
        (
            world.calls("switch", Way::Run),
            world.calls("drain", Way::Run)
        ),
        (1, 2)
    );
    assert_eq!(world.calls("drain", Way::Undo), 0);
}

#[tokio::test]
async fn retry_of_what_is_not_stuck_writes_nothing() {
    let (world, journal) = (World::default(), fresh());
    assert!(!retry::<Build>(&journal).await.unwrap());
    drive::<Build>(&journal, &world, &world.process())
        .await
        .unwrap();
    let appends = journal.appends();
    assert!(!retry::<Build>(&journal).await.unwrap());
    assert_eq!(journal.appends(), appends);
}

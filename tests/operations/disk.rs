//! The disk of the service itself is full, at 11 pm, in the middle of a deployment.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::world::{PATIENCE, World};

/// A small disk of its own, which is taken away again.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may not mount.
    fn new(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.ballast()).expect("a file");
        let mut size = 1 << 20;
        while size > 0 {
            if file.write_all(&vec![0; size]).is_err() {
                size /= 2;
            }
        }
    }

    fn empty(&self) {
        fs::remove_file(self.ballast()).expect("removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_a_deployment_goes_on_when_there_is_room_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::new(folder.path()) else {
        return;
    };
    let file = folder.path().join("proximity.db");
    let world = World::new()
        .set("PROXIMITY_LEASE", "2s")
        .set(
            "DATABASE_URL",
            &format!("sqlite://{}?mode=rwc", file.display()),
        )
        .start()
        .await;
    let admin = world.admin().await;
    world.fault(json!({"on": "pull", "do": "hang"}));
    let (operation, _) = admin.deploy(json!({"catalog_id": "memos"})).await;
    let pulls = |now: &serde_json::Value| now["steps"][9]["status"] == "running";
    admin.until(&operation, pulls).await;

    disk.fill();
    world.faults(Vec::new());
    let wish = json!({"catalog_id": "memos", "name": "second"});
    let refused = admin.post("/api/v1/apps", wish.clone()).await;
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (503, Some("database_unavailable")),
        "{refused:?}"
    );
    let deadline = Instant::now() + PATIENCE;
    while admin.get("/readyz").await.status != 503 {
        assert!(Instant::now() < deadline, "it takes itself for ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // People still see what there is, and the log names the reason and the place.
    let seen = admin.get(&format!("/api/v1/operations/{operation}")).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert!(!seen.body["steps"][12]["status"].is_null());
    assert!(
        world.log().contains("there is no room left on its disk"),
        "{}",
        world.log()
    );

    disk.empty();
    let done = admin.finished(&operation).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(world.containers().await.len(), 1);
    admin.deployed(wish).await;
    world.end().await;
}

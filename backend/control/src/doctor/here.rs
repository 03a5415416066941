//! Proximity itself: its database and its folder.

use std::{fs, io, path::Path, time::Duration};

use api::Check;
use store::Store;

use super::check::{Besides as _, failed, ok, skipped, warning};

/// Below this the database may soon not be able to grow.
const LITTLE: u64 = 512 << 20;
/// Below this it is a matter of hours.
const HARDLY_ANY: u64 = 64 << 20;
/// Longest time for the database to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database, and the folder where there is one.
pub(crate) async fn look(store: &Store, folder: Option<&Path>) -> Vec<Check> {
    let mut checks = vec![database(store).await];
    if let Some(folder) = folder {
        checks.push(data_folder(folder.to_owned()).await);
    }
    checks
}

async fn database(store: &Store) -> Check {
    match tokio::time::timeout(PATIENCE, store.ping()).await {
        Ok(Ok(())) => ok("database", "The database answers."),
        Ok(Err(error)) => failed("database", "The database does not answer.")
            .evidence(error.to_string())
            .hint("Check DATABASE_URL and the service's log."),
        Err(_) => failed("database", "The database does not answer in time.")
            .hint("Check the load of the database's machine and the service's log."),
    }
}

async fn data_folder(folder: std::path::PathBuf) -> Check {
    let looking = tokio::task::spawn_blocking(move || {
        let free = room(&folder);
        judge(&folder, free)
    });
    looking
        .await
        .unwrap_or_else(|_| skipped("data_folder", "The data folder could not be looked at."))
}

/// Bytes that are free, once a file was written there and taken away again.
fn room(folder: &Path) -> io::Result<u64> {
    let probe = folder.join(format!(".doctor-{}", crate::random::hex::<4>()));
    fs::write(&probe, b"may be deleted\n")?;
    fs::remove_file(&probe)?;
    let system = rustix::fs::statvfs(folder)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

fn judge(folder: &Path, free: io::Result<u64>) -> Check {
    let shown = folder.display();
    match free {
        Err(error) => failed("data_folder", format!("The data folder {shown} cannot be written."))
            .evidence(error.to_string())
            .hint("Give the user that runs Proximity write access to it, or name another in PROXIMITY_DATA_DIR."),
        Ok(free) => {
            let left = format!("{} MiB are free", free >> 20);
            let hint = "Free space on this machine: operations stop when their journal cannot be written.";
            match free {
                ..HARDLY_ANY => failed("data_folder", format!("The data folder {shown} is nearly full: {left}.")).hint(hint),
                HARDLY_ANY..LITTLE => warning("data_folder", format!("The data folder {shown} has little room: {left}.")).hint(hint),
                _ => ok("data_folder", format!("The data folder {shown} is writable, {left}.")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use api::CheckState;

    use super::*;

    #[test]
    fn room_is_judged_and_a_folder_that_is_not_there_is_told() {
        let state = |free| judge(Path::new("/data"), free).state;
        assert_eq!(state(Ok(1 << 40)), CheckState::Ok);
        assert_eq!(state(Ok(LITTLE - 1)), CheckState::Warning);
        assert_eq!(state(Ok(HARDLY_ANY - 1)), CheckState::Failed);
        let missing = Path::new("/nonexistent/data");
        let check = judge(missing, room(missing));
        assert_eq!(check.state, CheckState::Failed);
        assert_eq!(
            check.message,
            "The data folder /nonexistent/data cannot be written."
        );
    }

    #[test]
    fn looking_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert!(room(folder.path()).unwrap() > 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

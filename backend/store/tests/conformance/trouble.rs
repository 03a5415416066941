//! What a SQLite file may be in: each trouble is one sentence that names the file, and no row is lost.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait as _, Database};
use store::{Error, Store, SystemClock};

async fn open(path: &Path) -> store::Result<Store> {
    let store = Store::open(path, Arc::new(SystemClock)).await?;
    store.migrate().await?;
    store.prove_writable().await?;
    Ok(store)
}

fn sentence(error: &Error, path: &Path) -> String {
    let text = error.to_string();
    assert!(matches!(error, Error::Unusable(_)), "{error:?}");
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    text
}

/// A mounted file system that is taken away again.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// `None` where this user may not mount.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn new(at: &'a Path, arguments: &[&str]) -> Option<Self> {
        let done = Command::new("mount")
            .args(arguments)
            .arg(at)
            .stderr(Stdio::null())
            .status();
        if done.is_ok_and(|status| status.success()) {
            Some(Self(at))
        } else {
            println!("skipped: nothing can be mounted by this user");
            None
        }
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text =
        "to do: buy milk, and many other things that make this longer than a header. ".repeat(40);
    fs::write(&path, &text).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(
        sentence(&error, &path).contains("is not a database"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "untouched");
    let error = open(&folder.path().join("no/such/x.db")).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

/// Takes all the room that is left.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let mut size = 1 << 20;
    while size > 0 {
        if std::io::Write::write_all(&mut file, &vec![0; size]).is_err() {
            size /= 2;
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = Mounted::new(folder.path(), &["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
    else {
        return;
    };
    let path = folder.path().join("store.db");
    let store = open(&path).await.unwrap();
    store.settings().set("before", "1").await.unwrap();
    store.ready().await.unwrap();

    let ballast = folder.path().join("ballast");
    fill(&ballast);
    let long = "x".repeat(200_000);
    for _ in 0..3 {
        let error = store.settings().set("during", &long).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    }
    let read = async |name| store.settings().get(name).await.unwrap();
    assert_eq!(read("before").await.as_deref(), Some("1"), "it can be read");
    assert_eq!(read("during").await, None, "no half write");

    // As the program would be started now, when nothing of an earlier run lies about.
    let other = folder.path().join("other.db");
    fs::remove_file(&ballast).unwrap();
    open(&other).await.unwrap().close().await.unwrap();
    fill(&ballast);
    let error = open(&other).await.unwrap_err();
    assert!(sentence(&error, &other).contains("no room left"), "{error}");

    fs::remove_file(&ballast).unwrap();
    store.settings().set("after", &long).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.ready().await.is_err() {
        assert!(Instant::now() < deadline, "it is ready again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        store.settings().get("before").await.unwrap().as_deref(),
        Some("1")
    );
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_read_only_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (there, seen) = (folder.path().join("there"), folder.path().join("seen"));
    fs::create_dir(&there).unwrap();
    fs::create_dir(&seen).unwrap();
    open(&there.join("store.db"))
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    let bind = ["--bind", there.to_str().unwrap()];
    let Some(_bound) = Mounted::new(&seen, &bind) else {
        return;
    };
    let Some(_only) = Mounted::new(&seen, &["-o", "remount,bind,ro"]) else {
        return;
    };
    let path = seen.join("store.db");
    let error = open(&path).await.unwrap_err();
    assert!(sentence(&error, &path).contains("read-only"), "{error}");
}

#[tokio::test]
async fn a_locked_file_is_told_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = open(&path).await.unwrap();
    let other = Database::connect(format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let other = other.get_sqlite_connection_pool().acquire().await.unwrap();
    let mut other = other;
    sea_orm::sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut *other)
        .await
        .unwrap();
    // Both wait their time for it to pass, together.
    let (second, ready) = tokio::join!(store.prove_writable(), store.ready());
    assert!(sentence(&second.unwrap_err(), &path).contains("locked by another process"));
    assert!(matches!(ready, Err(Error::Unavailable(_))));
    sea_orm::sqlx::query("ROLLBACK")
        .execute(&mut *other)
        .await
        .unwrap();
    store.settings().set("after", "1").await.unwrap();
}

const WRITER: &str = "STORE_TEST_WRITES_TO";

/// Not a test of its own: what `a_killed_writer_leaves_whole_rows` starts and kills.
#[tokio::test]
async fn the_writer_that_is_killed() {
    let Some(path) = std::env::var_os(WRITER) else {
        return;
    };
    let store = open(Path::new(&path)).await.unwrap();
    for number in 0_u64.. {
        let value = format!("{number}:").repeat(2000);
        store.settings().set("one", &value).await.unwrap();
        store.settings().set("two", &value).await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    open(&path).await.unwrap().close().await.unwrap();
    for _ in 0..8 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "trouble::the_writer_that_is_killed"])
            .env(WRITER, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // In the middle of its writing: when it has written something new.
        let store = Store::open(&path, Arc::new(SystemClock)).await.unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        let before = store.settings().get("two").await.unwrap();
        while store.settings().get("two").await.unwrap() == before {
            assert!(Instant::now() < deadline, "the writer writes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        let number = |value: Option<String>| {
            let value = value.unwrap();
            let number: u64 = value.split(':').next().unwrap().parse().unwrap();
            assert_eq!(value, format!("{number}:").repeat(2000), "whole");
            number
        };
        let one = number(store.settings().get("one").await.unwrap());
        let two = number(store.settings().get("two").await.unwrap());
        assert!(
            one == two || one == two + 1,
            "{one} {two}: in the order of commits"
        );
        let sound = Database::connect(format!("sqlite://{}", path.display()))
            .await
            .unwrap();
        let sound = sound
            .query_one_raw(sea_orm::Statement::from_string(
                sea_orm::DbBackend::Sqlite,
                "PRAGMA integrity_check",
            ))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(sound.try_get_by_index::<String>(0).unwrap(), "ok");
        store.settings().set("two", "next:").await.unwrap();
    }
}

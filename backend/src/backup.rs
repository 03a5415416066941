//! `proximity backup` and `proximity restore`: the whole installation in one archive, and back.
//!
//! ```text
//! backup.tar.gz ── manifest.json     format, version, time, schema, checksums
//!               ├─ database.jsonl    all rows, as they were at one moment
//!               ├─ secret.key        without it the secrets among the rows are noise
//!               └─ catalog/…         where PROXIMITY_CATALOG_DIR names one
//! ```
//!
//! Commands of the machine that the service runs on: they read the database and the key file, and not the REST API.

mod manifest;
mod pack;
mod restore;
mod unpack;

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use store::{Store, SystemClock};

use crate::{logging, say, settings::Storage};

/// What is backed up where.
#[derive(Args)]
pub(crate) struct Backup {
    /// File to write, which must not exist; `-` for standard output. Absent: a file named after the time, in this
    /// folder
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What is restored.
#[derive(Args)]
pub(crate) struct Restore {
    /// File that `proximity backup` has written; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the installation that is there, after a backup of it
    #[arg(long)]
    force: bool,
}

/// Writes a backup. The service may run.
pub(crate) async fn backup(arguments: Backup) -> anyhow::Result<()> {
    let source = crate::source()?;
    logging::begin(&source)?;
    let storage = Storage::read(&source);
    let store = Store::connect_existing(&storage.database_url, Arc::new(SystemClock)).await?;
    if store.is_unused().await? {
        bail!("there is nothing to back up: nobody has used this database yet");
    }
    let file = arguments
        .file
        .unwrap_or_else(|| format!("proximity-backup-{}.tar.gz", stamp(store.now())).into());
    if file == Path::new("-") {
        let manifest = pack::pack(&store, &storage, &mut io::stdout()).await?;
        // Standard output is the archive.
        let _ = writeln!(io::stderr(), "{}", told(&manifest));
    } else {
        let manifest = to_file(&store, &storage, &file).await?;
        say(&format!("{}: {}", file.display(), told(&manifest)));
    }
    store.close().await?;
    Ok(())
}

/// Under another name until it is whole: half a backup must not look like one.
async fn to_file(
    store: &Store,
    storage: &Storage,
    file: &Path,
) -> anyhow::Result<manifest::Manifest> {
    let told = || format!("the backup `{}` cannot be written", file.display());
    if file.symlink_metadata().is_ok() {
        bail!("`{}` exists already: name another file", file.display());
    }
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let part = tempfile::Builder::new()
        .prefix(".proximity-backup-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(told)?;
    let mut out = BufWriter::new(part.as_file().try_clone()?);
    let manifest = pack::pack(store, storage, &mut out).await?;
    out.flush().with_context(told)?;
    part.as_file().sync_all().with_context(told)?;
    part.persist_noclobber(file)
        .map_err(|error| error.error)
        .with_context(told)?;
    Ok(manifest)
}

/// Puts a backup in place. The service must not run.
pub(crate) async fn restore(arguments: Restore) -> anyhow::Result<()> {
    let source = crate::source()?;
    logging::begin(&source)?;
    let storage = Storage::read(&source);
    let data = &storage.data_dir;
    fs::create_dir_all(data)
        .with_context(|| format!("the data folder {} cannot be made", data.display()))?;
    // For its owner alone, beside the data and not in a temporary folder of the system: the key is in it.
    let folder = tempfile::Builder::new()
        .prefix(".restore-")
        .tempdir_in(data)
        .context("no room for the backup in the data folder")?;
    let manifest = if arguments.file == Path::new("-") {
        unpack::unpack(io::stdin().lock(), folder.path())?
    } else {
        let file = File::open(&arguments.file)
            .with_context(|| format!("the backup `{}` cannot be read", arguments.file.display()))?;
        unpack::unpack(BufReader::new(file), folder.path())?
    };
    let store = Store::connect(&storage.database_url, Arc::new(SystemClock)).await?;
    let unpacked = restore::Unpacked {
        folder: folder.path(),
        manifest: &manifest,
    };
    let stamp = stamp(store.now());
    restore::put(&unpacked, &storage, &store, arguments.force, &stamp).await?;
    store.close().await?;
    say(&format!("restored: {}", told(&manifest)));
    say("start the service: operations that were under way go on");
    Ok(())
}

fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%S%3fZ").to_string()
}

fn told(manifest: &manifest::Manifest) -> String {
    format!(
        "{} rows and {} files as of {}, by version {}",
        manifest.rows,
        manifest.files.len(),
        manifest.made_at.format("%Y-%m-%d %H:%M:%S UTC"),
        manifest.program
    )
}

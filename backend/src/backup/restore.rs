//! Putting a backup in place: key and catalog first, then the database in one transaction.

use std::{
    fs::{self, File},
    io::{self, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use store::Store;

use super::{
    manifest::{CATALOG, DATABASE, KEY, Manifest},
    pack,
};
use crate::{say, settings::Storage};

/// A backup that was unpacked and checked.
pub(super) struct Unpacked<'a> {
    /// Where its files are.
    pub(super) folder: &'a Path,
    /// What it says of itself.
    pub(super) manifest: &'a Manifest,
}

/// Puts it in place of what is there. Without `force` there must be nothing that it would replace.
pub(super) async fn put(
    backup: &Unpacked<'_>,
    storage: &Storage,
    store: &Store,
    force: bool,
    stamp: &str,
) -> anyhow::Result<()> {
    let key = fs::read(backup.folder.join(KEY))?;
    let is_unused = store.is_unused().await?;
    let other_key = exists_otherwise(&storage.secret_key_file, &key)?;
    let catalog = Catalog::of(backup, storage)?;
    if !force {
        if !is_unused {
            bail!(
                "the database holds an installation already; `--force` puts the backup in its place, after a backup of what is there"
            );
        }
        if other_key {
            bail!(
                "the key file `{}` holds another key; `--force` moves it aside",
                storage.secret_key_file.display()
            );
        }
        if let Some(catalog) = catalog.as_ref().filter(|catalog| catalog.replaces) {
            bail!(
                "the catalog `{}` holds other files; `--force` moves it aside",
                catalog.to.display()
            );
        }
    }
    if !is_unused {
        keep(store, storage, stamp).await?;
    }
    let aside = other_key.then(|| beside(&storage.secret_key_file, stamp));
    put_key(&storage.secret_key_file, &key, aside.as_deref())?;
    let rows = File::open(backup.folder.join(DATABASE))?;
    let loaded = store
        .load(&mut BufReader::new(rows), &backup.manifest.migrations)
        .await;
    if let Err(error) = loaded {
        // The database is as it was, and can be read with the key that it had alone.
        if let Some(aside) = &aside {
            fs::rename(aside, &storage.secret_key_file)
                .with_context(|| format!("`{}` must be put back by hand", aside.display()))?;
        }
        return Err(error.into());
    }
    if let Some(catalog) = catalog {
        catalog.put(backup, storage, stamp)?;
    }
    Ok(())
}

/// A backup of what is about to be replaced.
async fn keep(store: &Store, storage: &Storage, stamp: &str) -> anyhow::Result<()> {
    let path = storage
        .data_dir
        .join(format!("before-restore-{stamp}.tar.gz"));
    let mut file =
        private(&path).with_context(|| format!("`{}` cannot be made", path.display()))?;
    let made = pack::pack(store, storage, &mut file).await;
    if let Err(error) = made.and_then(|_| Ok(file.sync_all()?)) {
        let _ = fs::remove_file(&path);
        return Err(error.context("what is there cannot be backed up, so that it is left as it is"));
    }
    say(&format!("what was there is kept in {}", path.display()));
    Ok(())
}

/// Makes a file for its owner alone, under a name that nobody has.
pub(super) fn private(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn exists_otherwise(path: &Path, content: &[u8]) -> anyhow::Result<bool> {
    match fs::read(path) {
        Ok(there) => Ok(there.trim_ascii() != content.trim_ascii()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
    }
}

fn beside(path: &Path, stamp: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-restore-{stamp}"));
    name.into()
}

/// The whole key or none, on the disk before the database that needs it.
fn put_key(path: &Path, key: &[u8], aside: Option<&Path>) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let told = || format!("the key file `{}` cannot be written", path.display());
    fs::create_dir_all(folder).with_context(told)?;
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(told)?;
    file.write_all(key).with_context(told)?;
    file.as_file().sync_all().with_context(told)?;
    if let Some(aside) = aside {
        fs::rename(path, aside).with_context(told)?;
        say(&format!(
            "the key that was there is kept in {}",
            aside.display()
        ));
    }
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(told)?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(told)
}

/// Where the catalog of the backup goes.
struct Catalog {
    to: PathBuf,
    /// Whether other files are there.
    replaces: bool,
    /// Whether the same files are there.
    is_there: bool,
}

impl Catalog {
    /// `None` where the backup has none.
    fn of(backup: &Unpacked<'_>, storage: &Storage) -> anyhow::Result<Option<Self>> {
        let from = backup.folder.join(CATALOG);
        if !from.is_dir() {
            return Ok(None);
        }
        let to = storage
            .catalog_dir
            .clone()
            .unwrap_or_else(|| storage.data_dir.join("catalog"));
        let told = || format!("the catalog `{}` cannot be read", to.display());
        let there = match pack::files(&to) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(told),
        };
        let ours = pack::files(&from)?;
        let mut is_there = there.len() == ours.len();
        for ((name, path), (other, own)) in there.iter().zip(&ours) {
            is_there =
                is_there && name == other && fs::read(path).with_context(told)? == fs::read(own)?;
        }
        Ok(Some(Self {
            replaces: !there.is_empty() && !is_there,
            is_there,
            to,
        }))
    }

    fn put(&self, backup: &Unpacked<'_>, storage: &Storage, stamp: &str) -> anyhow::Result<()> {
        let to = &self.to;
        if !self.is_there {
            let told = || format!("the catalog `{}` cannot be written", to.display());
            if self.replaces {
                let aside = beside(to, stamp);
                fs::rename(to, &aside).with_context(told)?;
                say(&format!(
                    "the catalog that was there is kept in {}",
                    aside.display()
                ));
            }
            let from = backup.folder.join(CATALOG);
            for (name, path) in pack::files(&from)? {
                let target = to.join(name);
                fs::create_dir_all(target.parent().unwrap_or(to)).with_context(told)?;
                fs::write(&target, fs::read(path)?).with_context(told)?;
            }
        }
        if storage.catalog_dir.is_none() {
            say(&format!(
                "the backup has a catalog of its own: set PROXIMITY_CATALOG_DIR={}",
                to.display()
            ));
        }
        Ok(())
    }
}

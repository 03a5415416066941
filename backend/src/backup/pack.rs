//! Making a backup: one archive of everything that an installation is.

use std::{
    fs,
    io::{self, BufWriter, Seek as _, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use store::Store;

use super::manifest::{CATALOG, DATABASE, FORMAT, KEY, MANIFEST, Manifest, Member};
use crate::settings::Storage;

/// Writes the archive. The database may be in use: its rows are as they were at one moment.
pub(super) async fn pack(
    store: &Store,
    storage: &Storage,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Manifest> {
    let key_file = &storage.secret_key_file;
    let key = fs::read(key_file).with_context(|| {
        format!(
            "the key file `{}` cannot be read (PROXIMITY_SECRET_KEY_FILE), and a backup without it would be of no use",
            key_file.display()
        )
    })?;
    control::SecretKey::from_file(key_file)?;
    // Without a name from the start: it holds the whole database.
    let mut rows = tempfile::tempfile().context("no room for the rows in the temporary folder")?;
    let made_at = store.now();
    let mut counted = Counted::new(BufWriter::new(&rows));
    let dumped = store.dump(&mut counted).await?;
    let database = counted.member(DATABASE)?;
    rows.rewind()?;

    let catalog = match &storage.catalog_dir {
        Some(folder) => files(folder)
            .with_context(|| format!("the catalog `{}` cannot be read", folder.display()))?,
        None => Vec::new(),
    };
    let mut members = vec![database, member(KEY, &key)];
    let mut contents = Vec::with_capacity(catalog.len());
    for (name, path) in catalog {
        let bytes =
            fs::read(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
        members.push(member(&format!("{CATALOG}{name}"), &bytes));
        contents.push(bytes);
    }
    if let Some(odd) = members.iter().find(|member| member.path().is_none()) {
        bail!(
            "the catalog has a file whose name a backup cannot hold: `{}`",
            odd.name
        );
    }
    let manifest = Manifest {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        database: dumped.database.to_owned(),
        rows: dumped.rows,
        migrations: dumped.migrations,
        files: members,
    };
    let mut archive = Archive::new(out, &manifest);
    archive.add(MANIFEST, &serde_json::to_vec_pretty(&manifest)?)?;
    archive.copy(DATABASE, manifest.files[0].size, &mut rows)?;
    archive.add(KEY, &key)?;
    for (member, bytes) in manifest.files[2..].iter().zip(&contents) {
        archive.add(&member.name, bytes)?;
    }
    archive.end().context("the backup cannot be written")?;
    Ok(manifest)
}

/// A compressed archive on its way out.
struct Archive<W: Write> {
    tar: tar::Builder<GzEncoder<W>>,
    time: u64,
}

impl<W: Write> Archive<W> {
    fn new(out: W, manifest: &Manifest) -> Self {
        Self {
            tar: tar::Builder::new(GzEncoder::new(out, Compression::default())),
            time: u64::try_from(manifest.made_at.timestamp()).unwrap_or(0),
        }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.copy(name, bytes.len() as u64, bytes)
    }

    fn copy(&mut self, name: &str, size: u64, content: impl io::Read) -> anyhow::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        // Also for whoever unpacks it by hand: the key is in it.
        header.set_mode(0o600);
        header.set_mtime(self.time);
        self.tar
            .append_data(&mut header, name, content.take(size))
            .context("the backup cannot be written")
    }

    fn end(self) -> io::Result<()> {
        self.tar.into_inner()?.finish()?.flush()
    }
}

/// Counts and sums what passes through it.
pub(super) struct Counted<W> {
    inner: W,
    size: u64,
    sum: Sha256,
}

impl<W: Write> Counted<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            size: 0,
            sum: Sha256::new(),
        }
    }

    /// What has passed, under this name.
    pub(super) fn member(mut self, name: &str) -> io::Result<Member> {
        self.inner.flush()?;
        Ok(Member {
            name: name.to_owned(),
            size: self.size,
            sha256: hex::encode(self.sum.finalize()),
        })
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.size += count as u64;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn member(name: &str, bytes: &[u8]) -> Member {
    Member {
        name: name.to_owned(),
        size: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(bytes)),
    }
}

/// The plain files below a folder by their path in it, in order. Links are left out: they lead anywhere.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(folder).unwrap_or(&path);
                let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
                found.push((name.to_owned(), path));
            } else {
                tracing::warn!(path = %path.display(), "left out of the backup: neither a file nor a folder");
            }
        }
    }
    found.sort();
    Ok(found)
}

//! Reading a backup: everything is checked before anything is believed.

use std::{
    fs,
    io::{self, BufWriter, Read},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::{
    manifest::{DATABASE, FORMAT, KEY, MANIFEST, Manifest, Member},
    pack::Counted,
};

/// Longest manifest that is read, bytes.
const LONGEST: u64 = 16 << 20;

/// Unpacks a backup into an empty folder, under names that this program made, and answers what it says of itself.
pub(super) fn unpack(from: impl Read, folder: &Path) -> anyhow::Result<Manifest> {
    let mut archive = Archive::new(MultiGzDecoder::new(from));
    let mut entries = archive.entries().context(NO_BACKUP)?;
    let mut next = || {
        let entry = entries.next().transpose();
        entry.context("the backup is damaged or cut off")
    };
    let manifest = manifest(next().context(NO_BACKUP)?)?;
    for member in &manifest.files {
        let entry = next()?;
        let entry =
            entry.with_context(|| format!("the backup is cut off before `{}`", member.name))?;
        check_name(&entry, &member.name)?;
        write(entry, member, folder)?;
    }
    ensure!(
        next()?.is_none(),
        "the backup holds a file that it does not tell of"
    );
    let names = |name: &str| {
        manifest
            .files
            .iter()
            .filter(|file| file.name == name)
            .count()
    };
    ensure!(
        names(DATABASE) == 1 && names(KEY) == 1,
        "the backup is not whole: it needs a database and a key"
    );
    Ok(manifest)
}

const NO_BACKUP: &str = "this is no backup of Proximity";

fn manifest<R: Read>(first: Option<Entry<'_, R>>) -> anyhow::Result<Manifest> {
    let mut entry = first.context(NO_BACKUP)?;
    check_name(&entry, MANIFEST).context(NO_BACKUP)?;
    let mut bytes = Vec::new();
    entry.by_ref().take(LONGEST).read_to_end(&mut bytes)?;
    let loose: serde_json::Value = serde_json::from_slice(&bytes).context(NO_BACKUP)?;
    // The number first: what else a newer one says may mean anything.
    match loose.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format > u64::from(FORMAT) => bail!(
            "the backup has format {format} and this version reads up to {FORMAT}: restore it with the version that made it ({})",
            loose["program"]
                .as_str()
                .unwrap_or("a newer one")
                .chars()
                .take(40)
                .collect::<String>()
        ),
        Some(_) => {}
        None => bail!(NO_BACKUP),
    }
    serde_json::from_value(loose).context("the manifest of the backup cannot be read")
}

fn check_name<R: Read>(entry: &Entry<'_, R>, name: &str) -> anyhow::Result<()> {
    ensure!(
        entry.header().entry_type() == EntryType::Regular
            && *entry.path_bytes() == *name.as_bytes(),
        "the backup is not as it says: where `{name}` should be is something else"
    );
    Ok(())
}

fn write<R: Read>(entry: Entry<'_, R>, member: &Member, folder: &Path) -> anyhow::Result<()> {
    let Some(path) = member.path() else {
        bail!("the backup holds a file of a name that it cannot have");
    };
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("`{}` cannot be unpacked", member.name))?;
    let mut counted = Counted::new(BufWriter::new(file));
    // One byte more than there should be is enough to see that there is more.
    let mut limited = entry.take(member.size.saturating_add(1));
    io::copy(&mut limited, &mut counted)
        .with_context(|| format!("`{}` cannot be unpacked", member.name))?;
    let found = counted.member(&member.name)?;
    ensure!(
        found.size == member.size && found.sha256 == member.sha256,
        "the backup is damaged: the checksum of `{}` is another one",
        member.name
    );
    Ok(())
}

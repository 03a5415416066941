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
    entry
        .by_ref()
        .take(LONGEST)
        .read_to_end(&mut bytes)
        .context("the backup is damaged or cut off")?;
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

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use serde_json::{Value, json};
    use sha2::{Digest as _, Sha256};

    use super::*;

    const FILES: [(&str, &str); 3] = [
        (DATABASE, "rows"),
        (KEY, "key"),
        ("catalog/apps/memos/app.yaml", "id: memos"),
    ];

    fn manifest(files: &[(&str, &str)]) -> Value {
        let files: Vec<Value> = files
            .iter()
            .map(|(name, text)| {
                json!({"name": name, "size": text.len(), "sha256": hex::encode(Sha256::digest(text))})
            })
            .collect();
        json!({"format": FORMAT, "program": "0.1.0", "made_at": "2026-11-21T08:00:00Z", "database": "sqlite",
            "rows": 1, "migrations": [], "files": files})
    }

    /// Names go into the header as they are: the library itself would refuse the hostile ones.
    fn archive(manifest: &Value, files: &[(&str, &str)], kind: EntryType) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let first = (MANIFEST, manifest.to_string());
        let rest = files.iter().map(|(name, text)| (*name, (*text).to_owned()));
        for (name, text) in std::iter::once(first).chain(rest) {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_entry_type(if name == MANIFEST {
                EntryType::Regular
            } else {
                kind
            });
            header.set_cksum();
            tar.append(&header, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn refused(archive: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let error = unpack(archive, &inner).unwrap_err();
        let beside = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 1, "nothing is written beside the folder");
        format!("{error:#}")
    }

    #[test]
    fn a_whole_backup_is_unpacked_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(&manifest(&FILES), &FILES, EntryType::Regular);
        let found = unpack(&archive[..], folder.path()).unwrap();
        assert_eq!(found.files.len(), 3);
        for (name, text) in FILES {
            assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), text);
        }
        let mode = fs::metadata(folder.path().join(KEY))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_damaged_hostile_or_newer_is_refused() {
        let whole = archive(&manifest(&FILES), &FILES, EntryType::Regular);
        assert!(refused(b"hello").contains(NO_BACKUP));
        assert!(refused(&whole[..whole.len() / 2]).contains("backup"));
        let mut other = FILES;
        other[0].1 = "rowz";
        let swapped = archive(&manifest(&FILES), &other, EntryType::Regular);
        assert!(refused(&swapped).contains("checksum"));
        other[0].1 = "rows and more";
        let longer = archive(&manifest(&FILES), &other, EntryType::Regular);
        assert!(refused(&longer).contains("checksum"));
        for hostile in [
            "../../evil",
            "/tmp/evil",
            "catalog/../../evil",
            "secret.key/x",
        ] {
            let mut files = FILES;
            files[2].0 = hostile;
            let archive = archive(&manifest(&files), &files, EntryType::Regular);
            assert!(
                refused(&archive).contains("a name that it cannot have"),
                "{hostile}"
            );
        }
        let link = archive(&manifest(&FILES), &FILES, EntryType::Symlink);
        assert!(refused(&link).contains("something else"));
        let more = archive(&manifest(&FILES[..2]), &FILES, EntryType::Regular);
        assert!(refused(&more).contains("does not tell of"));
        let keyless = archive(&manifest(&FILES[..1]), &FILES[..1], EntryType::Regular);
        assert!(refused(&keyless).contains("not whole"));
        let mut newer = manifest(&FILES);
        newer["format"] = json!(FORMAT + 1);
        newer["program"] = json!("9.9.9");
        let newer = archive(&newer, &FILES, EntryType::Regular);
        assert!(refused(&newer).contains("9.9.9"));
    }
}

//! A file put into a container: whole or not at all.

use std::fmt;
use std::time::Duration;

use crate::{Command, Error, Host, Pool};

/// What runs in the container. The bytes go to a new file beside the target that only root can read; it takes the
/// target's place in one step, after its size, mode and owner are right. Folders on the way are made readable by all,
/// because programs that are not root may have to pass through them. The mode comes after the owner: a file that changes
/// hands loses its set-user-id bit.
const SCRIPT: &str = concat!(
    r#"if [ -d "$1" ]; then echo "$1 is a folder" >&2; exit 1; fi; "#,
    r#"umask 022; mkdir -p "$2" || exit 1; umask 077; cat > "$3" && "#,
    r#"if [ "$(wc -c < "$3")" -eq "$4" ]; then :; else echo "the upload broke off" >&2; false; fi && "#,
    r#"if [ -n "$6" ]; then chown "$6" "$3"; fi && chmod "$5" "$3" && mv -f "$3" "$1" && exit 0; "#,
    r#"rm -f "$3"; exit 1"#
);

/// A file for a container.
#[derive(Clone)]
pub struct Upload {
    /// Where it goes: absolute, without `..`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Its permissions, as in `0o600`.
    pub mode: u32,
    /// Its owner and group as the container counts them; root when absent.
    pub owner: Option<(u32, u32)>,
}

impl Upload {
    /// The folder that the file goes to, if the path is one that a file can have.
    fn folder(&self) -> Option<&str> {
        let (folder, name) = self.path.rsplit_once('/')?;
        let absolute = self.path.starts_with('/');
        let parts = || self.path.split('/');
        let straight = !parts().any(|part| part == ".." || part == ".");
        let proper = absolute && straight && !name.is_empty() && !self.path.contains('\0');
        proper.then_some(if folder.is_empty() { "/" } else { folder })
    }
}

/// Files may hold secrets: only name and size are shown.
impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Upload")
            .field("path", &self.path)
            .field("bytes", &self.bytes.len())
            .field("mode", &format_args!("{:#o}", self.mode))
            .field("owner", &self.owner)
            .finish()
    }
}

impl Pool {
    /// Writes a file in a container, replacing one that is there in a single step, and makes the folders above it. An
    /// [`Error::Failed`] says what the container said (no space, read-only …), and the target is as it was.
    pub async fn upload(&self, host: &Host, vmid: u32, file: Upload) -> Result<(), Error> {
        let Some(folder) = file.folder() else {
            return Err(Error::Invalid {
                reason: format!("{:?} is no absolute path of a file", file.path),
            });
        };
        if file.mode > 0o7777 {
            return Err(Error::Invalid {
                reason: format!("{:o} is no file mode", file.mode),
            });
        }
        let part = format!("{}.{:08x}.part", file.path, rand::random::<u32>());
        let size = file.bytes.len().to_string();
        let mode = format!("{:04o}", file.mode);
        let owner = file
            .owner
            .map_or(String::new(), |(user, group)| format!("{user}:{group}"));
        // A megabyte a second is slow even for a busy node.
        let seconds = 60 + file.bytes.len() as u64 / (1024 * 1024);
        let command = Command::new([
            "sh", "-c", SCRIPT, "sh", &file.path, folder, &part, &size, &mode, &owner,
        ])
        .stdin(file.bytes)
        .deadline(Duration::from_secs(seconds));
        self.pct_exec(host, vmid, command).await?.ok().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str) -> Option<String> {
        let upload = Upload {
            path: path.into(),
            bytes: b"hunter2".to_vec(),
            mode: 0o600,
            owner: None,
        };
        assert!(!format!("{upload:?}").contains("hunter2"));
        upload.folder().map(String::from)
    }

    #[test]
    fn only_a_straight_absolute_path_names_a_file() {
        assert_eq!(folder("/opt/app/.env").as_deref(), Some("/opt/app"));
        assert_eq!(folder("/top").as_deref(), Some("/"));
        for wrong in [
            "", "/", "relative", "a/b", "/a/", "/a/../b", "/a/./b", "/a/..", "/a\0b",
        ] {
            assert_eq!(folder(wrong), None, "{wrong:?}");
        }
    }
}

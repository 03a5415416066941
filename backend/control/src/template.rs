//! Which Alpine template a container is made from.
//!
//! Names are those of Proxmox's template index, e.g. `alpine-3.23-default_20260116_amd64.tar.xz`. Old names
//! vanish from the index, so the newest is looked for at the time of the deployment, never written down here.

use serde::{Deserialize, Serialize};

/// A template to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateChoice {
    /// Storage that holds it, or will.
    pub storage: String,
    /// File name.
    pub file: String,
    /// Whether it must be downloaded first.
    pub download: bool,
    /// An older one that is there already, as `storage:vztmpl/file`: used when the download fails.
    pub fallback: Option<String>,
}

impl TemplateChoice {
    /// The volume id that `ostemplate` takes.
    pub fn volume(&self) -> String {
        format!("{}:vztmpl/{}", self.storage, self.file)
    }
}

/// Release and build date; what "newest" means.
type Age = ((u32, u32), u32);

/// Reads the name of an Alpine template for `architecture`; `None` for any other file.
fn age(file: &str, architecture: &str) -> Option<Age> {
    let rest = file.strip_prefix("alpine-")?;
    let (release, rest) = rest.split_once("-default_")?;
    let (build, rest) = rest.split_once('_')?;
    let (built_for, archive) = rest.split_once('.')?;
    if built_for != architecture || !archive.starts_with("tar") {
        return None;
    }
    let (major, minor) = release.split_once('.')?;
    Some((
        (major.parse().ok()?, minor.parse().ok()?),
        build.parse().ok()?,
    ))
}

/// The newest of what is there (`present`, volume ids) and what the index offers (`offered`, file names).
/// A download goes to `download_storage`.
pub(crate) fn choose<'a>(
    architecture: &str,
    present: impl Iterator<Item = &'a str>,
    offered: impl Iterator<Item = &'a str>,
    download_storage: &str,
) -> Option<TemplateChoice> {
    let newest_present = present
        .filter_map(|volume| {
            let (storage, path) = volume.split_once(':')?;
            let file = path.strip_prefix("vztmpl/")?;
            Some((age(file, architecture)?, storage, file))
        })
        .max();
    let newest_offered = offered
        .filter_map(|file| Some((age(file, architecture)?, file)))
        .max();
    match (newest_present, newest_offered) {
        (Some((there, storage, file)), offered)
            if offered.is_none_or(|(newest, _)| newest <= there) =>
        {
            Some(TemplateChoice {
                storage: storage.to_owned(),
                file: file.to_owned(),
                download: false,
                fallback: None,
            })
        }
        (present, Some((_, file))) => Some(TemplateChoice {
            storage: download_storage.to_owned(),
            file: file.to_owned(),
            download: true,
            fallback: present.map(|(_, storage, file)| format!("{storage}:vztmpl/{file}")),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "alpine-3.9-default_20190101_amd64.tar.xz";
    const NEW: &str = "alpine-3.23-default_20260116_amd64.tar.xz";
    const ARM: &str = "alpine-3.24-default_20260714_arm64.tar.xz";

    #[test]
    fn releases_are_numbers_and_not_text() {
        let choice = choose("amd64", std::iter::empty(), [OLD, NEW].into_iter(), "local");
        assert_eq!(choice.expect("one fits").file, NEW);
    }

    #[test]
    fn what_is_there_and_newest_needs_no_download() {
        let volume = format!("nfs:vztmpl/{NEW}");
        let choice = choose(
            "amd64",
            [volume.as_str()].into_iter(),
            [OLD, NEW].into_iter(),
            "local",
        )
        .expect("one fits");
        assert_eq!((choice.download, choice.volume()), (false, volume));
    }

    #[test]
    fn an_older_one_that_is_there_is_the_fallback() {
        let volume = format!("local:vztmpl/{OLD}");
        let choice = choose(
            "amd64",
            [volume.as_str()].into_iter(),
            [NEW].into_iter(),
            "local",
        )
        .expect("one fits");
        assert_eq!((choice.download, choice.fallback), (true, Some(volume)));
    }

    #[test]
    fn other_architectures_and_other_systems_do_not_count() {
        let offered = [
            ARM,
            "debian-13-standard_13.1-2_amd64.tar.zst",
            "alpine-x-default_1_amd64.tar",
        ];
        assert_eq!(
            choose("amd64", std::iter::empty(), offered.into_iter(), "local"),
            None
        );
    }
}

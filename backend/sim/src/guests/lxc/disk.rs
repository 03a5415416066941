//! Disks: the template unpacked once into a btrfs subvolume, and a snapshot of it for each guest.

use std::path::{Path, PathBuf};

use super::command::Tool;
use super::paths::LabPaths;

/// The unpacked template; unpacks it when this is the first guest made from it.
pub(super) async fn base(
    lab: &LabPaths,
    log: &(dyn Fn(String) + Send + Sync),
) -> Result<PathBuf, String> {
    // The folder that the template lies in is named after its recipe: a changed template is another base.
    let name = lab
        .template
        .parent()
        .and_then(Path::file_name)
        .unwrap_or("base".as_ref());
    let base = lab.storage.join(name);
    if base.exists() {
        return Ok(base);
    }
    // Another process may be at the same; each unpacks for itself and the first to finish is taken.
    let unfinished = lab
        .storage
        .join(format!("unpacking-{}", std::process::id()));
    // Left by a create of this process that was stopped in the middle; nobody else of it is at it now.
    if unfinished.exists() {
        delete(&unfinished).await?;
    }
    Tool::new("btrfs")
        .args(["subvolume", "create"])
        .arg(&unfinished)
        .text()
        .await?;
    let unpacked = Tool::new("tar")
        .args([
            "--extract",
            "--zstd",
            "--numeric-owner",
            "--totals",
            "--file",
        ])
        .arg(&lab.template)
        .arg("--directory")
        .arg(&unfinished)
        .text()
        .await;
    if let Err(reason) = unpacked {
        delete(&unfinished).await?;
        return Err(format!("unable to unpack the template: {reason}"));
    }
    if let Err(error) = tokio::fs::rename(&unfinished, &base).await {
        delete(&unfinished).await?;
        return if base.exists() {
            Ok(base)
        } else {
            Err(error.to_string())
        };
    }
    log("unpacked the lab's template, for all guests to come".to_owned());
    Ok(base)
}

/// Makes a guest's disk of `size` bytes.
pub(super) async fn snapshot(base: &Path, disk: &Path, size: u64) -> Result<(), String> {
    Tool::new("btrfs")
        .args(["subvolume", "snapshot"])
        .arg(base)
        .arg(disk)
        .text()
        .await?;
    Tool::new("btrfs")
        .args(["qgroup", "limit"])
        .arg(size.to_string())
        .arg(disk)
        .text()
        .await?;
    Ok(())
}

/// Removes a disk. One that does not exist is fine.
pub(super) async fn delete(disk: &Path) -> Result<(), String> {
    if !disk.exists() {
        return Ok(());
    }
    let group = group_of(disk).await;
    Tool::new("btrfs")
        .args(["subvolume", "delete"])
        .arg(disk)
        .text()
        .await?;
    // The kernel keeps the quota group of a deleted subvolume until it is removed; not worth failing for.
    if let (Some(group), Some(parent)) = (group, disk.parent()) {
        let _ = Tool::new("btrfs")
            .args(["qgroup", "destroy", &group])
            .arg(parent)
            .text()
            .await;
    }
    Ok(())
}

/// Bytes that the guest sees as used. The file system brings the figure up to date every thirty seconds.
pub(super) async fn used(disk: &Path) -> Option<u64> {
    let table = Tool::new("btrfs")
        .args(["qgroup", "show", "--raw", "-f"])
        .arg(disk)
        .text()
        .await
        .ok()?;
    parse_used(&table)
}

/// `0/257` of a subvolume whose id is 257.
async fn group_of(disk: &Path) -> Option<String> {
    let id = Tool::new("btrfs")
        .args(["inspect-internal", "rootid"])
        .arg(disk)
        .text()
        .await
        .ok()?;
    Some(format!("0/{}", id.trim()))
}

/// The second column of the row that starts with a group's id.
fn parse_used(table: &str) -> Option<u64> {
    let row = table
        .lines()
        .find(|line| line.trim_start().starts_with("0/"))?;
    row.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_quota_table_of_both_generations_of_btrfs_progs() {
        let older = "qgroupid         rfer         excl \n--------         ----         ---- \n0/257        12648448       180224 \n";
        let newer = "Qgroupid    Referenced    Exclusive   Path\n--------    ----------    ---------   ----\n0/258         12648448       180224   subvol-101-disk-0\n";
        assert_eq!(parse_used(older), Some(12_648_448));
        assert_eq!(parse_used(newer), Some(12_648_448));
        assert_eq!(parse_used("ERROR: quotas not enabled\n"), None);
    }
}

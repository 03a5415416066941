//! Files put into a container.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use ssh::{Error, Upload};

use crate::sshd::{Sshd, busybox};

fn file(path: String, bytes: impl Into<Vec<u8>>, mode: u32) -> Upload {
    Upload {
        path,
        bytes: bytes.into(),
        mode,
        owner: None,
    }
}

#[tokio::test]
async fn any_bytes_arrive_whole_with_mode_and_owner() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let every: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..5 * 1024 * 1024_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let guests = if busybox(&sshd) {
        &[101, 103][..]
    } else {
        &[101]
    };
    for vmid in guests {
        for (name, bytes, mode) in [
            ("empty", vec![], 0o600),
            ("every", every.clone(), 0o644),
            ("large", large.clone(), 0o4755),
            ("it's a $name/Grüße", every.clone(), 0o640),
        ] {
            let path = sshd.path(&format!("opt/{vmid}/{name}"));
            let upload = Upload {
                owner: (vmid == &101 && user_is_root()).then_some((1000, 1001)),
                ..file(path.to_str().unwrap().into(), bytes.clone(), mode)
            };
            let owner = upload.owner;
            pool.upload(&sshd.host(), *vmid, upload).await.unwrap();
            assert!(std::fs::read(&path).unwrap() == bytes, "{name} in {vmid}");
            let metadata = path.metadata().unwrap();
            if let Some(owner) = owner {
                assert_eq!((metadata.uid(), metadata.gid()), owner);
            }
            assert_eq!(
                metadata.permissions().mode() & 0o7777,
                mode,
                "{name} in {vmid}"
            );
        }
        let folder = sshd.path(&format!("opt/{vmid}"));
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o755
        );
        // nothing but the files: no part of one
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 4);
    }
}

fn user_is_root() -> bool {
    crate::sshd::user() == "root"
}

#[tokio::test]
async fn a_file_is_replaced_in_one_step_or_left_alone() {
    let Some(sshd) = Sshd::start() else { return };
    let pool = sshd.pool();
    let path = sshd.path("dir/target");
    let text = || path.to_str().unwrap().to_owned();
    pool.upload(&sshd.host(), 101, file(text(), "old", 0o600))
        .await
        .unwrap();
    let old = path.metadata().unwrap().ino();
    pool.upload(&sshd.host(), 101, file(text(), "new", 0o600))
        .await
        .unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_ne!(path.metadata().unwrap().ino(), old);

    // a file where a folder should be, and a folder where the file should be
    for wrong in [sshd.text("dir/target/below"), sshd.text("dir")] {
        let error = pool
            .upload(&sshd.host(), 101, file(wrong, "x", 0o600))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Failed { code: 1, message } if message.contains("dir")),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(sshd.path("dir")).unwrap().count(), 1);

    let error = pool
        .upload(&sshd.host(), 101, file("a/b".into(), "x", 0o600))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    let error = pool
        .upload(&sshd.host(), 102, file(text(), "x", 0o600))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::ContainerNotRunning { .. }),
        "{error}"
    );
}

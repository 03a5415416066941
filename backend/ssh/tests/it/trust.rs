//! Whose server it is, and who we are.

use std::time::Duration;

use secrecy::SecretString;
use ssh::{Auth, Command, Error, Host, Pool, Settings, scan_host_key};

use crate::sshd::{PASSWORD, Sshd, keygen, user};

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_scanned_key_is_the_servers_key() {
    let Some(sshd) = Sshd::start() else { return };
    let key = scan_host_key("127.0.0.1", sshd.port, LIMIT).await.unwrap();
    assert_eq!(key, sshd.host_key("ed25519"));
}

#[tokio::test]
async fn the_pinned_type_is_asked_for() {
    let Some(sshd) = Sshd::start() else { return };
    let host = Host {
        key: sshd.host_key("rsa"),
        ..sshd.host()
    };
    sshd.pool()
        .run(&host, Command::new(["true"]))
        .await
        .unwrap()
        .ok()
        .unwrap();
}

#[tokio::test]
async fn another_key_ends_everything_before_it_begins() {
    let Some(sshd) = Sshd::start() else { return };
    for kind in ["ed25519", "ecdsa"] {
        keygen(&sshd.path(&format!("host_other_{kind}")), kind, "");
        let expected = sshd.host_key(&format!("other_{kind}"));
        let host = Host {
            key: expected.clone(),
            ..sshd.host()
        };
        let error = sshd
            .pool()
            .run(&host, Command::new(["true"]))
            .await
            .unwrap_err();
        let text = error.to_string();
        let Error::HostKeyChanged {
            expected: pinned,
            seen,
            ..
        } = error
        else {
            panic!("{text}")
        };
        assert_eq!((pinned, seen), (expected.clone(), sshd.host_key("ed25519")));
        assert!(text.contains(&expected.fingerprint()), "{text}");
        assert!(
            text.contains(&sshd.host_key("ed25519").fingerprint()),
            "{text}"
        );
    }
}

async fn attempt(sshd: &Sshd, auth: Auth) -> Result<(), Error> {
    let pool = Pool::new(Settings::new(user(), auth));
    pool.run(&sshd.host(), Command::new(["true"]))
        .await?
        .ok()
        .map(drop)
}

#[tokio::test]
async fn keys_work_from_files_and_from_memory_and_locked() {
    let Some(sshd) = Sshd::start() else { return };
    let secret = |text: &str| SecretString::from(text.to_owned());
    let mut authorized = std::fs::read_to_string(sshd.path("authorized")).unwrap();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        for passphrase in ["", "open sesame"] {
            let name = format!("user_{kind}_{}", passphrase.len());
            keygen(&sshd.path(&name), kind, passphrase);
            authorized += &std::fs::read_to_string(sshd.path(&format!("{name}.pub"))).unwrap();
            std::fs::write(sshd.path("authorized"), &authorized).unwrap();
            let passphrase = (!passphrase.is_empty()).then(|| secret(passphrase));
            let pem = secret(&std::fs::read_to_string(sshd.path(&name)).unwrap());
            let file = Auth::KeyFile {
                path: sshd.path(&name),
                passphrase: passphrase.clone(),
            };
            attempt(&sshd, file).await.unwrap();
            attempt(&sshd, Auth::Key { pem, passphrase }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_apart_from_one_that_is_refused() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("stranger"), "ed25519", "");
    keygen(&sshd.path("locked"), "ed25519", "open sesame");
    let file = |name: &str, passphrase: Option<&str>| Auth::KeyFile {
        path: sshd.path(name),
        passphrase: passphrase.map(|text| SecretString::from(text.to_owned())),
    };
    let denied = attempt(&sshd, file("stranger", None)).await.unwrap_err();
    assert!(
        matches!(&denied, Error::Denied { reason, .. } if reason.contains("publickey")),
        "{denied}"
    );
    for auth in [
        file("locked", None),
        file("locked", Some("wrong")),
        file("user.pub", None),
        file("absent", None),
    ] {
        let error = attempt(&sshd, auth).await.unwrap_err();
        assert!(matches!(error, Error::BadKey { .. }), "{error}");
        assert!(!error.to_string().contains("wrong\""), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_not_shown() {
    let Some(sshd) = Sshd::start() else { return };
    let auth = Auth::Password(SecretString::from("hunter2-of-nobody"));
    assert!(!format!("{:?}", Settings::new("root", auth.clone())).contains("hunter2"));
    let error = attempt(&sshd, auth).await.unwrap_err();
    assert!(
        matches!(&error, Error::Denied { user: who, .. } if *who == user()),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_password_is_given_in_the_way_that_the_server_asks() {
    let keyboard = "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes";
    for methods in ["PasswordAuthentication yes", keyboard] {
        let Some(sshd) = Sshd::with_password(methods) else {
            return;
        };
        attempt(&sshd, Auth::Password(PASSWORD.into()))
            .await
            .unwrap();
        let error = attempt(&sshd, Auth::Password("wrong".into()))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::Denied { reason, .. } if reason.contains("was not accepted")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_takes_no_passwords_says_what_it_takes() {
    let Some(sshd) =
        Sshd::with_password("PasswordAuthentication no\nKbdInteractiveAuthentication no")
    else {
        return;
    };
    let error = attempt(&sshd, Auth::Password(PASSWORD.into()))
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("the server takes: publickey"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let Some(sshd) = Sshd::start() else { return };
    // tcpmux, which no machine has served for decades
    let mut host = Host {
        port: 1,
        ..sshd.host()
    };
    let error = sshd
        .pool()
        .run(&host, Command::new(["true"]))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { node, .. } if node == "pve1"),
        "{error}"
    );

    // a server that accepts and then says nothing
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    host.port = silent.local_addr().unwrap().port();
    let mut settings = Settings::new("root", Auth::Password(SecretString::from("x")));
    settings.connect_timeout = Duration::from_millis(300);
    let error = Pool::new(settings)
        .run(&host, Command::new(["true"]))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("no answer within 300ms"),
        "{error}"
    );
    let error = scan_host_key("127.0.0.1", host.port, Duration::from_millis(300))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

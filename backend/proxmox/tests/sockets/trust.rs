//! Whom the client talks to.

use std::io::Write as _;
use std::time::Duration;

use proxmox::{Client, Config, Error, Fingerprint, HostPort, Trust, probe_certificate};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::authority::{Authority, Identity};
use crate::server::{Reply, Seen, Server, connect, data, nobody, token};

fn version(_seen: &Seen, _number: usize) -> Reply {
    data(&json!({"version": "9.1.4", "release": "9.1", "repoid": "abcdef01"}))
}

fn trusting(server: &Server, trust: Trust) -> Client {
    connect(vec![server.host.clone()], token(), trust)
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted() {
    let server = Server::start(version).await;
    let other = Fingerprint::of(b"another node's certificate");
    let version = trusting(
        &server,
        Trust::Fingerprints(vec![other, server.fingerprint]),
    )
    .version()
    .await
    .unwrap();
    assert_eq!(
        (version.version.as_str(), version.numbers()),
        ("9.1.4", Some((9, 1)))
    );
}

#[tokio::test]
async fn another_certificate_is_refused_before_anything_is_sent() {
    let server = Server::start(version).await;
    let pinned = Fingerprint::of(b"what it was");
    let error = trusting(&server, Trust::Fingerprints(vec![pinned]))
        .version()
        .await
        .unwrap_err();
    let Error::Tls { host, reason } = error else {
        panic!("{error}")
    };
    assert_eq!(host, server.host.to_string());
    assert!(reason.contains(&server.fingerprint.to_string()), "{reason}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_refused() {
    let owner = Identity::self_signed();
    let thief = Server::with(&Identity::stolen_from(&owner), version).await;
    let error = trusting(&thief, Trust::Fingerprints(vec![owner.fingerprint()]))
        .version()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn a_cluster_s_own_authority_is_trusted_for_what_it_issued() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::with(&Identity::issued_by(&ours), version).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ours.pem().as_bytes()).unwrap();
    trusting(&server, Trust::CaFile(file.path().to_owned()))
        .version()
        .await
        .unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(theirs.pem().as_bytes()).unwrap();
    let before = server.seen().len();
    let error = trusting(&server, Trust::CaFile(file.path().to_owned()))
        .version()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    assert_eq!(server.seen().len(), before);
}

#[tokio::test]
async fn an_authority_is_not_trusted_for_another_name() {
    let authority = Authority::new();
    let server = Server::with(&Identity::issued_by(&authority), version).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    let host = HostPort {
        host: "localhost".to_owned(),
        ..server.host.clone()
    };
    let error = connect(vec![host], token(), Trust::CaFile(file.path().to_owned()))
        .version()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn what_a_host_presents_can_be_looked_at() {
    let server = Server::start(version).await;
    let seen = probe_certificate(&server.host, Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(seen.fingerprint, server.fingerprint.to_string());
    assert!(seen.not_before < seen.not_after, "{seen:?}");
    assert!(!seen.subject.is_empty(), "{seen:?}");
    assert!(server.seen().is_empty(), "a look sends nothing");
    let gone = probe_certificate(&nobody().await, Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(matches!(gone, Error::Unreachable { .. }), "{gone}");
}

#[tokio::test]
async fn a_host_without_tls_is_not_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = HostPort {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // Whether it is read does not matter.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let pin = Trust::Fingerprints(vec![Fingerprint::of(b"")]);
    let error = connect(vec![host.clone()], token(), pin)
        .version()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    let error = probe_certificate(&host, Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_host_that_says_nothing_is_not_waited_for_forever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = HostPort {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
    };
    let error = probe_certificate(&host, Duration::from_millis(200))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let pin = Trust::Fingerprints(vec![Fingerprint::of(b"")]);
    let client = connect(vec![host], token(), pin);
    // Even a change: without a connection nothing was sent.
    let error = client
        .start_container(&"pve1".parse().unwrap(), "101".parse().unwrap())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn the_system_does_not_trust_a_self_signed_host() {
    let server = Server::start(version).await;
    let hosts = vec![server.host.clone()];
    let config = Config {
        hosts,
        auth: token(),
        trust: Trust::System,
        timeout: Duration::from_secs(3),
    };
    match Client::new(config) {
        Ok(client) => {
            let error = client.version().await.unwrap_err();
            assert!(matches!(error, Error::Tls { .. }), "{error}");
        }
        // A system that trusts nobody at all.
        Err(error) => assert!(
            matches!(&error, Error::Invalid { errors, .. } if errors.contains_key("trust")),
            "{error}"
        ),
    }
    assert!(server.seen().is_empty());
}

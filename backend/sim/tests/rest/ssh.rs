//! The nodes' SSH servers, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{World, three};
use russh::client::{self, Handle};
use russh::keys::{
    Algorithm, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate,
};
use russh::{ChannelMsg, Disconnect};
use sim::Options;
use sim::faults::{Action, Rule};

/// A client that insists on one host key.
struct Client(String);

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Ok(false);
        };
        Ok(
            PublicKey::from_openssh(&self.0)
                .is_ok_and(|wanted| wanted.key_data() == key.key_data()),
        )
    }
}

#[derive(Debug, Default)]
struct Ran {
    code: Option<u32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl Ran {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// The entry of a node in `pve1=…,pve2=…`.
fn entry(list: &str, node: &str) -> String {
    let found = list
        .split(',')
        .find_map(|entry| entry.strip_prefix(&format!("{node}=")));
    found.unwrap().to_owned()
}

async fn connect(world: &World, node: &str) -> Result<Handle<Client>, russh::Error> {
    let key = entry(&world.running.ssh_host_keys, node);
    let address = entry(&world.running.ssh_hosts, node);
    let connecting = client::connect(Arc::default(), address, Client(key));
    tokio::time::timeout(Duration::from_secs(10), connecting)
        .await
        .unwrap()
}

async fn login(world: &World, node: &str) -> Handle<Client> {
    let mut session = connect(world, node).await.unwrap();
    let entered = session
        .authenticate_password("root", &world.running.password)
        .await
        .unwrap();
    assert!(entered.success());
    session
}

async fn run(session: &Handle<Client>, line: &str, input: &[u8]) -> Ran {
    let channel = session.channel_open_session().await.unwrap();
    channel.exec(true, line).await.unwrap();
    let (mut from, to) = channel.split();
    let mut ran = Ran::default();
    let tell = async {
        // A command that has ended takes no more.
        let _ = to.data(input).await;
        let _ = to.eof().await;
        std::future::pending::<()>().await;
    };
    let listen = async {
        while let Some(message) = from.wait().await {
            match message {
                ChannelMsg::Data { data } => ran.stdout.extend_from_slice(&data),
                ChannelMsg::ExtendedData { data, .. } => {
                    ran.stderr.push_str(&String::from_utf8_lossy(&data));
                }
                ChannelMsg::ExitStatus { exit_status } => ran.code = Some(exit_status),
                _ => {}
            }
        }
    };
    let both = async {
        tokio::select! { () = tell => {}, () = listen => {} }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), both).await;
    ended.expect("the command ends");
    ran
}

/// A world with a modelled guest 101 that runs on pve1.
async fn with_guest(options: Options) -> World {
    let world = World::modelled(options).await;
    let root = world.root().await;
    let upid = world
        .create(&root, "pve1", "101", &[("features", "nesting=1")])
        .await
        .text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    let upid = world
        .call(&root, "POST", "/nodes/pve1/lxc/101/status/start", &[])
        .await
        .text();
    assert_eq!(world.finish(&root, &upid).await, "OK");
    world
}

#[tokio::test]
async fn only_root_with_the_right_password_or_key_comes_in() {
    let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
    let options = Options {
        authorized_keys: vec![key.public_key().to_openssh().unwrap()],
        ..three()
    };
    let world = World::modelled(options).await;
    let mut session = connect(&world, "pve1").await.unwrap();
    assert!(
        !session
            .authenticate_password("root", "wrong")
            .await
            .unwrap()
            .success()
    );
    assert!(
        !session
            .authenticate_password("admin", &world.running.password)
            .await
            .unwrap()
            .success()
    );
    let other = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
    for (key, right) in [(other, false), (key, true)] {
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        assert_eq!(
            session
                .authenticate_publickey("root", key)
                .await
                .unwrap()
                .success(),
            right
        );
    }
    assert_eq!(run(&session, "hostname", b"").await.text(), "pve1\n");

    // Another node is another host: its key is not this one's.
    let wrong = entry(&world.running.ssh_host_keys, "pve2");
    let address = entry(&world.running.ssh_hosts, "pve1");
    assert!(
        client::connect(Arc::default(), address, Client(wrong))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_node_speaks_as_bash_would() {
    let world = World::modelled(three()).await;
    let session = login(&world, "pve2").await;
    let ran = run(
        &session,
        "echo \"$HOME\" 'two  words'; echo problem >&2; exit 7",
        b"",
    )
    .await;
    assert_eq!(
        (ran.code, ran.text(), ran.stderr.as_str()),
        (Some(7), "/root two  words\n", "problem\n")
    );
    let ran = run(&session, "nonsense --now", b"").await;
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(127), "bash: line 1: nonsense: command not found\n")
    );
    assert_eq!(
        run(&session, "timeout 5 sleep 9", b"").await.code,
        Some(124),
        "GNU's, not busybox's"
    );
    assert!(
        run(&session, "pveversion", b"")
            .await
            .text()
            .starts_with("pve-manager/")
    );
    // Files of a node outlive a session.
    assert_eq!(
        run(&session, "cat > /tmp/note", b"kept").await.code,
        Some(0)
    );
    let later = login(&world, "pve2").await;
    assert_eq!(run(&later, "cat /tmp/note", b"").await.text(), "kept");
    assert_eq!(
        run(&login(&world, "pve1").await, "cat /tmp/note", b"")
            .await
            .code,
        Some(1)
    );
    let channel = session.channel_open_session().await.unwrap();
    assert!(channel.request_shell(true).await.is_ok());
    drop(channel);
    session
        .disconnect(Disconnect::ByApplication, "", "")
        .await
        .unwrap();
}

#[tokio::test]
async fn large_streams_in_both_directions_at_once() {
    let world = with_guest(three()).await;
    let session = login(&world, "pve1").await;
    let input: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let ran = run(&session, "pct exec 101 -- cat", &input).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout == input, "{} bytes came back", ran.stdout.len());
    // A command that does not read must not stop the other channels of its connection.
    let (slow, quick) = tokio::join!(
        run(
            &session,
            "pct exec 101 -- sh -c 'sleep 1; wc -c < /dev/null'",
            &input
        ),
        run(&session, "echo quick", b"")
    );
    assert_eq!((slow.text(), quick.text()), ("0\n", "quick\n"));
}

#[tokio::test]
async fn pct_reaches_the_guests_of_its_own_node_only() {
    let world = with_guest(three()).await;
    let session = login(&world, "pve1").await;
    let ran = run(
        &session,
        "pct exec 101 -- sh -c 'echo \"$1|$HOME|$container\"; exit 3' sh 'it'\"'\"'s $x'",
        b"",
    )
    .await;
    assert_eq!(
        (ran.code, ran.text()),
        (Some(3), "it's $x|/root|lxc\n"),
        "{}",
        ran.stderr
    );
    let ran = run(&session, "pct exec 101 --keep-env 0 -- env", b"").await;
    assert_eq!(
        ran.text().lines().count(),
        2,
        "PATH and container: {}",
        ran.text()
    );
    for (line, code, text) in [
        ("pct exec 101 -- no-such-thing", 127, "lxc-attach: 101:"),
        (
            "pct exec 777 -- true",
            2,
            "Configuration file 'nodes/pve1/lxc/777.conf' does not exist\n",
        ),
        (
            "pct exec 101 --bogus 1 -- true",
            255,
            "Unknown option: bogus\n400 unable to parse option\n",
        ),
        ("pct exec 101 ls -l", 255, "Unknown option: l\n"),
        ("pct exec abc -- true", 255, "type check ('integer') failed"),
    ] {
        let ran = run(&session, line, b"").await;
        assert_eq!(ran.code, Some(code), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(text), "{line}: {}", ran.stderr);
    }
    assert_eq!(
        run(&session, "pct status 101", b"").await.text(),
        "status: running\n"
    );
    let elsewhere = login(&world, "pve2").await;
    let ran = run(&elsewhere, "pct exec 101 -- true", b"").await;
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            Some(2),
            "Configuration file 'nodes/pve2/lxc/101.conf' does not exist\n"
        )
    );

    let pushed = run(&session, "printf secret > /tmp/f && pct push 101 /tmp/f /root/pushed --perms 0600 --user 5 && pct exec 101 -- stat -c '%a %u %s' /root/pushed", b"").await;
    assert_eq!(pushed.text(), "600 5 6\n", "{}", pushed.stderr);
    assert_eq!(
        run(&session, "pct push 101 /tmp/f /no/such/folder", b"")
            .await
            .code,
        Some(255)
    );

    assert_eq!(run(&session, "pct stop 101", b"").await.code, Some(0));
    let ran = run(&session, "pct exec 101 -- true", b"").await;
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(255), "container '101' not running!\n")
    );
}

#[tokio::test]
async fn an_older_pct_knows_no_keep_env() {
    let world = with_guest(Options {
        old_pct: true,
        ..three()
    })
    .await;
    let session = login(&world, "pve1").await;
    let ran = run(&session, "pct exec 101 --keep-env 0 -- true", b"").await;
    assert_eq!(ran.code, Some(255));
    assert!(
        ran.stderr.starts_with("Unknown option: keep-env\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        run(&session, "pct exec 101 -- true", b"").await.code,
        Some(0)
    );
}

/// Waits until a file is there in guest 101.
async fn appears(session: &Handle<Client>, path: &str) {
    for _ in 0..200 {
        if run(session, &format!("pct exec 101 -- test -e {path}"), b"")
            .await
            .code
            == Some(0)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} did not appear");
}

#[tokio::test]
async fn what_runs_in_a_guest_outlives_its_channel() {
    let world = with_guest(three()).await;
    let session = login(&world, "pve1").await;
    let mut channel = session.channel_open_session().await.unwrap();
    let script =
        "echo started; until [ -e /root/go ]; do sleep 1; echo still here; done; touch /root/done";
    channel
        .exec(true, format!("pct exec 101 -- sh -c '{script}'"))
        .await
        .unwrap();
    while !matches!(channel.wait().await.unwrap(), ChannelMsg::Data { .. }) {}
    session
        .disconnect(Disconnect::ByApplication, "", "")
        .await
        .unwrap();
    drop(channel);
    let session = login(&world, "pve1").await;
    assert_eq!(
        run(&session, "pct exec 101 -- touch /root/go", b"")
            .await
            .code,
        Some(0)
    );
    appears(&session, "/root/done").await;
}

#[tokio::test]
async fn faults_of_connections() {
    let world = World::modelled(three()).await;
    let set = |rules: Vec<Rule>| world.running.set_faults(rules).unwrap();
    for action in [Action::Refuse, Action::Cut] {
        set(vec![Rule::new("ssh_connect", action).times(1)]);
        assert!(connect(&world, "pve1").await.is_err(), "{action:?}");
        assert!(connect(&world, "pve1").await.is_ok(), "{action:?}");
    }
    set(vec![Rule::new("ssh_connect", Action::Hang).node("pve1")]);
    assert!(connect(&world, "pve2").await.is_ok());
    let hung = tokio::time::timeout(Duration::from_millis(300), connect(&world, "pve1")).await;
    assert!(hung.is_err(), "nothing is said while it hangs");
    set(Vec::new());
    let offline = sim::control::NodeChange {
        online: Some(false),
        ..sim::control::NodeChange::default()
    };
    world.running.change_node("pve3", &offline).await.unwrap();
    assert!(connect(&world, "pve3").await.is_err());
}

#[tokio::test]
async fn faults_of_commands_in_guests() {
    let world = with_guest(three()).await;
    let session = login(&world, "pve1").await;
    let set = |rules: Vec<Rule>| world.running.set_faults(rules).unwrap();
    set(vec![Rule::new("pct_exec", Action::Refuse).times(1)]);
    let ran = run(&session, "pct exec 101 -- true", b"").await;
    assert!(
        ran.code == Some(1) && ran.stderr.contains("lxc-attach: 101"),
        "{ran:?}"
    );

    // Cut: the process has its whole input, its caller hears no end, and it goes on.
    set(vec![Rule::new("pct_exec", Action::Cut).times(1)]);
    let ran = run(
        &session,
        "pct exec 101 -- sh -s",
        b"echo begun\nsleep 30\ntouch /root/survived\n",
    )
    .await;
    assert_eq!(ran.code, None, "{ran:?}");
    let session = login(&world, "pve1").await;
    appears(&session, "/root/survived").await;

    set(vec![Rule::new("pct_exec", Action::Hang)]);
    let hanging = run(&session, "pct exec 101 -- echo late", b"");
    tokio::pin!(hanging);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut hanging).await;
    assert!(early.is_err(), "nothing comes while it hangs");
    set(Vec::new());
    let ran = hanging.await;
    assert_eq!(ran.text(), "late\n");
}

//! Real containers, in the lab that `PROXIMITY_LAB` names (the folder given to `tests/lab/lab up`).
//!
//! They need root and a lab, and so they run only when asked for: `cargo nextest run -p sim --run-ignored all lxc`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{GuestSpec, Guests as _, Output, Process};
use super::Lxc;
use super::config::tests::spec;

/// What a process in a guest did.
#[derive(Debug)]
struct Done {
    code: i32,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Done {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }
}

fn lab() -> Lxc {
    let folder = std::env::var_os("PROXIMITY_LAB")
        .expect("PROXIMITY_LAB names the folder of a lab that is up");
    Lxc::from_env_file(&PathBuf::from(folder).join("lab.env")).unwrap()
}

async fn exec(lab: &Lxc, vmid: u32, argv: &[&str], env: &[(&str, &str)], input: &[u8]) -> Done {
    let (feed, stdin) = mpsc::channel(1);
    let (output, mut from) = mpsc::channel(8);
    let process = Process {
        argv: argv.iter().map(ToString::to_string).collect(),
        env: env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        stdin,
        output,
        killed: CancellationToken::new(),
    };
    let input = Bytes::copy_from_slice(input);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (code, (), ()) = tokio::join!(
        lab.exec(vmid, process),
        async move {
            let _ = feed.send(input).await;
        },
        async {
            while let Some(piece) = from.recv().await {
                match piece {
                    Output::Stdout(bytes) => stdout.extend_from_slice(&bytes),
                    Output::Stderr(bytes) => stderr.extend_from_slice(&bytes),
                }
            }
        }
    );
    Done {
        code,
        stdout,
        stderr,
    }
}

async fn shell(lab: &Lxc, vmid: u32, script: &str) -> Done {
    exec(
        lab,
        vmid,
        &["sh", "-s"],
        &[("HOME", "/root")],
        script.as_bytes(),
    )
    .await
}

/// Makes and starts a guest; one that an earlier run has left is removed first.
async fn started(lab: &Lxc, spec: &GuestSpec) {
    lab.stop(spec.vmid).await.unwrap();
    lab.destroy(spec.vmid).await.unwrap();
    lab.create(spec, &|_| ()).await.unwrap();
    lab.start(spec.vmid).await.unwrap();
}

async fn removed(lab: &Lxc, vmid: u32) {
    lab.stop(vmid).await.unwrap();
    lab.destroy(vmid).await.unwrap();
}

/// Asks until `answer` has one; a minute is more than anything here takes.
async fn until<T>(what: &str, mut answer: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = answer().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn address(lab: &Lxc, vmid: u32) -> IpAddr {
    until("an address", async || {
        let interfaces = lab.interfaces(vmid).await?;
        let eth0 = interfaces
            .into_iter()
            .find(|interface| interface.name == "eth0")?;
        eth0.addresses
            .into_iter()
            .map(|(address, _)| address)
            .find(IpAddr::is_ipv4)
    })
    .await
}

async fn http(address: IpAddr, port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((address, port)).await.ok()?;
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
        .await
        .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
#[ignore = "needs a lab: see tests/lab/README.md"]
async fn a_process_gets_its_arguments_and_input_as_they_are() {
    let lab = lab();
    started(&lab, &spec(9101)).await;

    let odd = "a b'c\"d $HOME `id` \\ * \u{e4}\n";
    let echoed = exec(&lab, 9101, &["printf", "%s", odd], &[], b"").await;
    assert_eq!(
        (echoed.code, echoed.stdout.as_slice()),
        (0, odd.as_bytes()),
        "{echoed:?}"
    );

    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let copied = exec(&lab, 9101, &["cat"], &[], &bytes).await;
    assert!(
        copied.stdout == bytes,
        "{} bytes came back of {}",
        copied.stdout.len(),
        bytes.len()
    );

    let environment = exec(
        &lab,
        9101,
        &["env"],
        &[("NAME", "x=y z"), ("PATH", "/bin")],
        b"",
    )
    .await
    .text();
    assert!(
        environment.lines().any(|line| line == "NAME=x=y z"),
        "{environment}"
    );
    assert!(
        environment.lines().any(|line| line == "PATH=/bin"),
        "{environment}"
    );
    assert!(
        environment.lines().any(|line| line == "container=lxc"),
        "{environment}"
    );
    assert!(!environment.contains("HOME="), "{environment}");

    let both = shell(&lab, 9101, "echo out; echo err >&2; exit 7").await;
    assert_eq!(
        (both.code, both.stdout.as_slice(), both.stderr.as_slice()),
        (7, b"out\n".as_slice(), b"err\n".as_slice())
    );
    assert_eq!(
        exec(&lab, 9101, &["no-such-program"], &[], b"").await.code,
        127
    );
    assert_eq!(
        exec(&lab, 9101, &["/etc/hostname"], &[], b"").await.code,
        126
    );
    assert_eq!(shell(&lab, 9101, "kill -9 $$").await.code, 137);
    removed(&lab, 9101).await;
}

#[tokio::test]
#[ignore = "needs a lab: see tests/lab/README.md"]
async fn a_guest_is_like_a_stock_alpine() {
    let lab = lab();
    let mut small = spec(9102);
    small.disk = 64 << 20;
    started(&lab, &small).await;
    let address = address(&lab, 9102).await;

    assert_eq!(
        shell(&lab, 9102, "cat /etc/alpine-release; hostname; id -u")
            .await
            .text(),
        "3.23.0\nguest-9102\n0"
    );
    let absent = shell(
        &lab,
        9102,
        "for name in bash curl perl openssl docker dpkg; do command -v $name; done",
    )
    .await;
    assert_eq!(absent.text(), "");
    let expired = shell(&lab, 9102, "timeout 1 sleep 9").await;
    assert_eq!(
        (expired.code, expired.stderr.as_slice()),
        (143, b"Terminated\n".as_slice())
    );
    let unknown = shell(&lab, 9102, "apk add --no-cache nonsense").await;
    assert_eq!(unknown.code, 1);
    let words = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        words.contains("ERROR: unable to select packages:\n  nonsense (no such package):\n"),
        "{words}"
    );

    let full = shell(&lab, 9102, "dd if=/dev/zero of=/root/big bs=1M count=200").await;
    assert_ne!(full.code, 0, "the limit of the disk holds");
    assert!(lab.memory_used(9102).await > 0);

    let outside = shell(&lab, 9102, "wget -q -T 5 -O - http://192.0.2.1/").await;
    assert!(
        String::from_utf8_lossy(&outside.stderr).contains("No route to host"),
        "{outside:?}"
    );
    assert!(http(address, 80, "/").await.is_none());
    removed(&lab, 9102).await;
}

#[tokio::test]
#[ignore = "needs a lab: see tests/lab/README.md"]
async fn without_nesting_docker_does_not_start() {
    let lab = lab();
    let mut plain = spec(9103);
    plain.nesting = false;
    started(&lab, &plain).await;
    address(&lab, 9103).await;
    let install = "apk update && apk add --no-cache docker docker-cli-compose && rc-service docker start; docker info";
    let installed = shell(&lab, 9103, install).await;
    assert_ne!(installed.code, 0, "{installed:?}");
    removed(&lab, 9103).await;
}

#[tokio::test]
#[ignore = "needs a lab: see tests/lab/README.md"]
async fn an_app_of_two_services_lives_and_leaves_nothing() {
    let lab = lab();
    let spec = spec(9104);
    started(&lab, &spec).await;
    let first = address(&lab, 9104).await;

    let installed = shell(&lab, 9104, &install_script()).await;
    assert_eq!(installed.code, 0, "{installed:?}");
    let compose = include_bytes!("../../../../../tests/lab/catalog/apps/lab-duo/compose.yaml");
    let written = exec(
        &lab,
        9104,
        &[
            "sh",
            "-c",
            "mkdir -p /opt/app && cat >/opt/app/compose.yaml",
        ],
        &[],
        compose,
    )
    .await;
    assert_eq!(written.code, 0);
    let up = shell(&lab, 9104, "cd /opt/app && docker compose up -d --wait").await;
    assert_eq!(up.code, 0, "{}", String::from_utf8_lossy(&up.stderr));
    let answer = http(first, 8080, "/cgi-bin/visits").await.unwrap();
    assert!(
        answer.contains(" 200 OK\r\n") && answer.ends_with("visits 1\n"),
        "{answer}"
    );

    // A restart of the container brings the app back, with its data.
    lab.shutdown(9104).await.unwrap();
    assert!(!lab.is_running(9104).await);
    lab.start(9104).await.unwrap();
    let again = address(&lab, 9104).await;
    let answer = until("the app after a restart", async || {
        http(again, 8080, "/cgi-bin/visits")
            .await
            .filter(|answer| answer.contains(" 200 OK\r\n"))
    })
    .await;
    assert!(answer.ends_with("visits 2\n"), "{answer}");

    // A kill leaves /run/docker.pid behind where /run is not a tmpfs.
    lab.stop(9104).await.unwrap();
    lab.start(9104).await.unwrap();
    let again = address(&lab, 9104).await;
    until("the app after a kill", async || {
        http(again, 8080, "/cgi-bin/visits")
            .await
            .filter(|answer| answer.contains(" 200 OK\r\n"))
    })
    .await;
    removed(&lab, 9104).await;

    assert!(!lab.lab().disk(9104).exists() && !lab.lab().container(9104).exists());
    assert!(
        !Path::new("/sys/class/net")
            .join(format!("pxl{}v9104", lab.lab().number))
            .exists()
    );
    let leases = std::fs::read_to_string(&lab.lab().leases).unwrap();
    assert!(!leases.contains(&spec.hwaddr.to_lowercase()), "{leases}");
}

#[tokio::test]
#[ignore = "needs a lab: see tests/lab/README.md"]
async fn several_guests_are_made_at_once() {
    let lab = &lab();
    let mut addresses = join_all((9110..9116).map(async |vmid| {
        started(lab, &spec(vmid)).await;
        let address = address(lab, vmid).await;
        removed(lab, vmid).await;
        address
    }))
    .await;
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 6);
}

/// The script that Proximity sends, where this checkout has it; else the same in short.
fn install_script() -> String {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../control/src/guest/install_docker.sh"
    );
    std::fs::read_to_string(script).unwrap_or_else(|_| {
        "apk update && apk add --no-cache docker docker-cli-compose && rc-update add docker default &&
         rc-service docker start && until docker info; do sleep 1; done"
            .to_owned()
    })
}

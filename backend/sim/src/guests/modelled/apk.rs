//! `apk`, the package manager (texts and exit codes of apk-tools 2.14).

use std::time::Duration;

use super::guest::Guest;
use super::network;
use super::packages::{BASE, Package, collect, find};
use crate::unix::{Call, Done, Errno, binary};

const DATABASE: &str = "/lib/apk/db/installed";
const WORLD: &str = "/etc/apk/world";

fn installed(guest: &Guest) -> Vec<String> {
    let base = guest_base(guest);
    let text = base.files().text(DATABASE).unwrap_or_default();
    BASE.iter()
        .map(|name| (*name).to_owned())
        .chain(text.lines().map(str::to_owned))
        .collect()
}

fn guest_base(guest: &Guest) -> &crate::unix::Base {
    crate::unix::Machine::base(guest)
}

/// Repositories in use, in order.
fn repositories(guest: &Guest) -> Vec<String> {
    let text = guest_base(guest)
        .files()
        .text("/etc/apk/repositories")
        .unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            line.split_whitespace()
                .last()
                .unwrap_or(line)
                .trim_end_matches('/')
                .to_owned()
        })
        .collect()
}

pub(super) async fn main(guest: &Guest, call: &mut Call) -> Done {
    let Some(release) = &guest.release else {
        return call.fail_with(127, "not found").await;
    };
    let branch = format!("/v{}/", release.branch);
    let mut words = Vec::new();
    for word in call.args() {
        match word.as_str() {
            "--no-cache" | "-q" | "--quiet" | "-U" | "--update-cache" | "--no-progress" | "-v"
            | "--wait" | "--upgrade" | "-u" => {}
            "-e" | "--installed" => words.push("-e".to_owned()),
            option if option.starts_with('-') => {
                call.err(format!("apk: unrecognized option: {option}\n"))
                    .await;
                return Err(1);
            }
            word => words.push(word.to_owned()),
        }
    }
    let quiet = call
        .args()
        .iter()
        .any(|word| word == "-q" || word == "--quiet");
    // `--wait 30`: its value is no package.
    if call.args().iter().any(|word| word == "--wait") {
        words.retain(|word| word.parse::<u32>().is_err());
    }
    let fetches = call
        .args()
        .iter()
        .any(|word| matches!(word.as_str(), "--no-cache" | "-U" | "--update-cache"));
    let Some((command, names)) = words.split_first() else {
        call.out("apk-tools 2.14.4, compiled for x86_64.\n").await?;
        return Err(1);
    };
    match command.as_str() {
        "update" => update(guest, call, &branch).await,
        "add" => add(guest, call, names, fetches, quiet, &branch).await,
        "del" => del(guest, call, names).await,
        "info" => info(guest, call, names).await,
        "upgrade" => {
            call.out("OK: 9 MiB in 15 packages\n").await?;
            Ok(0)
        }
        "--version" | "version" => {
            call.out("apk-tools 2.14.4, compiled for x86_64.\n").await?;
            Ok(0)
        }
        other => {
            call.err(format!(
                "apk: '{other}' is not an apk command. See 'apk --help'.\n"
            ))
            .await;
            Err(1)
        }
    }
}

/// Why a mirror cannot be read, in apk's words; `None` when it can.
fn trouble(guest: &Guest, repository: &str, branch: &str) -> Option<String> {
    if network::address(guest).is_none() {
        return Some("temporary error (try again later)".to_owned());
    }
    if let Some(fault) = guest.fault("apk") {
        return Some(fault.text("temporary error (try again later)"));
    }
    // A mirror of another release, or one that nobody has heard of, has no index here.
    if !format!("{repository}/").contains(branch) {
        return Some("No such file or directory".to_owned());
    }
    None
}

/// Reads the indexes; the repositories that answered. One fault hits all of them, as a dead mirror does.
async fn fetch(guest: &Guest, call: &Call, branch: &str) -> Result<(Vec<String>, usize), i32> {
    let all = repositories(guest);
    let mut reached = Vec::new();
    let mut first_trouble: Option<String> = None;
    for repository in &all {
        call.out(format!("fetch {repository}/x86_64/APKINDEX.tar.gz\n"))
            .await?;
        let trouble = match &first_trouble {
            Some(text) => Some(text.clone()),
            None => trouble(guest, repository, branch),
        };
        match trouble {
            None => reached.push(repository.clone()),
            Some(text) => {
                call.err(format!(
                    "WARNING: fetching {repository}/x86_64/APKINDEX.tar.gz: {text}\n"
                ))
                .await;
                first_trouble = (text != "No such file or directory").then_some(text);
            }
        }
    }
    let missed = all.len() - reached.len();
    Ok((reached, missed))
}

async fn update(guest: &Guest, call: &Call, branch: &str) -> Done {
    guest.pace().take(Duration::from_millis(1_500)).await;
    let (reached, missed) = fetch(guest, call, branch).await?;
    if missed > 0 {
        // apk counts each twice: once for the index, once for the update.
        let count = missed * 2;
        call.out(format!(
            "{count} unavailable, 0 stale; 15 distinct packages available\n"
        ))
        .await?;
        return Ok(i32::try_from(count).unwrap_or(4));
    }
    for repository in &reached {
        let version = branch.trim_matches('/');
        call.out(format!("{version}.2-63-g6c94b6e6a0f [{repository}]\n"))
            .await?;
    }
    let packages = if reached.len() > 1 { 26_326 } else { 5_639 };
    call.out(format!("OK: {packages} distinct packages available\n"))
        .await?;
    Ok(0)
}

async fn add(
    guest: &Guest,
    call: &Call,
    names: &[String],
    fetches: bool,
    quiet: bool,
    branch: &str,
) -> Done {
    let have = installed(guest);
    let wanted = |name: &String| !have.contains(name);
    let (reached, _) = if fetches || names.iter().any(wanted) {
        fetch(guest, call, branch).await?
    } else {
        (Vec::new(), 0)
    };
    let community = reached
        .iter()
        .any(|repository| repository.ends_with("/community"));
    let main = reached
        .iter()
        .any(|repository| repository.ends_with("/main"));
    let offered = |package: &Package| if package.community { community } else { main };
    let missing: Vec<&String> = names
        .iter()
        .filter(|name| wanted(name) && !find(name).is_some_and(offered))
        .collect();
    if !missing.is_empty() {
        let mut text = "ERROR: unable to select packages:\n".to_owned();
        for name in &missing {
            text.push_str(&format!(
                "  {name} (no such package):\n    required by: world[{name}]\n"
            ));
        }
        call.err(text).await;
        return Err(i32::try_from(missing.len()).unwrap_or(1));
    }
    let mut plan = Vec::new();
    for name in names {
        collect(name, &have, &mut plan);
    }
    remember(guest, names);
    for (number, package) in plan.iter().enumerate() {
        if !quiet {
            call.out(format!(
                "({}/{}) Installing {} ({})\n",
                number + 1,
                plan.len(),
                package.name,
                package.version
            ))
            .await?;
        }
        guest
            .pace()
            .take(Duration::from_millis(60 + package.size * 14))
            .await;
        if install(guest, package).is_err() {
            call.err(format!(
                "ERROR: {}-{}: No space left on device\n",
                package.name, package.version
            ))
            .await;
            return Err(1);
        }
    }
    let now = installed(guest);
    let size: u64 = now
        .iter()
        .filter_map(|name| find(name))
        .map(|package| package.size)
        .sum();
    if !quiet {
        if !plan.is_empty() {
            call.out("Executing busybox-1.36.1-r29.trigger\n").await?;
        }
        call.out(format!("OK: {} MiB in {} packages\n", 9 + size, now.len()))
            .await?;
    }
    Ok(0)
}

/// Names asked for stay in the world file even when their installation fails.
fn remember(guest: &Guest, names: &[String]) {
    let mut files = guest_base(guest).files();
    let mut world: Vec<String> = files
        .text(WORLD)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    world.extend(names.iter().cloned());
    world.sort();
    world.dedup();
    // A full disk is found out when the package itself is written.
    let _ = files.put(WORLD, format!("{}\n", world.join("\n")), 0o644);
}

fn install(guest: &Guest, package: &Package) -> Result<(), Errno> {
    let mut files = guest_base(guest).files();
    files.reserve(package.size << 20)?;
    for program in package.programs {
        let name = program.rsplit('/').next().unwrap_or(program);
        files.put(program, binary(name), 0o755)?;
    }
    if package.name == "docker-openrc" {
        files.put(
            "/etc/init.d/docker",
            "#!/sbin/openrc-run\nsupervisor=supervise-daemon\nname=\"Docker Daemon\"\n",
            0o755,
        )?;
        files.put(
            "/etc/conf.d/docker",
            "# any other options: DOCKER_OPTS\n",
            0o644,
        )?;
    }
    if package.name == "docker-engine" {
        let group = files.text("/etc/group").unwrap_or_default();
        if !group.contains("docker:") {
            files.put("/etc/group", format!("{group}docker:x:101:\n"), 0o644)?;
        }
    }
    let database = files.text(DATABASE).unwrap_or_default();
    files.put(DATABASE, format!("{database}{}\n", package.name), 0o644)
}

async fn del(guest: &Guest, call: &Call, names: &[String]) -> Done {
    for name in names {
        let Some(package) = find(name).filter(|_| installed(guest).contains(name)) else {
            continue;
        };
        {
            let mut files = guest_base(guest).files();
            for program in package.programs {
                // Somebody may have removed it by hand.
                let _ = files.remove(program);
            }
            files.release(package.size << 20);
            for list in [DATABASE, WORLD] {
                let text = files.text(list).unwrap_or_default();
                let rest: String = text
                    .lines()
                    .filter(|line| line != name)
                    .map(|line| format!("{line}\n"))
                    .collect();
                let _ = files.put(list, rest, 0o644);
            }
        }
        call.out(format!("(1/1) Purging {name} ({})\n", package.version))
            .await?;
    }
    call.out("OK\n").await?;
    Ok(0)
}

/// `apk info -e NAME…`: the names that are installed.
async fn info(guest: &Guest, call: &Call, names: &[String]) -> Done {
    let have = installed(guest);
    let asked: Vec<&String> = names.iter().filter(|name| *name != "-e").collect();
    if asked.is_empty() {
        call.out(
            have.iter()
                .map(|name| format!("{name}\n"))
                .collect::<String>(),
        )
        .await?;
        return Ok(0);
    }
    let found: Vec<&&String> = asked.iter().filter(|name| have.contains(name)).collect();
    call.out(
        found
            .iter()
            .map(|name| format!("{name}\n"))
            .collect::<String>(),
    )
    .await?;
    Ok(i32::from(found.len() < asked.len()))
}

//! The common tools, as busybox has them.
//!
//! [`run`] is the table of contents. An option that the real tool has but this one does not is refused, never
//! ignored.

mod archive;
mod change;
mod copy;
mod digest;
mod filter;
mod grep;
mod look;
mod options;
mod print;
mod printf;
mod sed;
mod system;
pub(crate) mod tar;
mod test;
mod text;
mod time;
mod walk;

use super::files::{Errno, Files};
use super::process::{Call, Done, binary};

pub(crate) use printf::unescape;

/// A time as RFC 3339 in UTC, to the second.
pub(crate) fn timestamp(time: std::time::SystemTime) -> String {
    time::calendar(change::seconds(time)).rfc3339()
}

/// Folders and the applets that have a link to busybox there, as on Alpine (which is not usr-merged).
const LINKS: &[(&str, &[&str])] = &[
    (
        "/bin",
        &[
            "ash", "base64", "cat", "chmod", "chown", "cp", "date", "df", "echo", "egrep", "false",
            "fgrep", "grep", "hostname", "kill", "ln", "ls", "mkdir", "mktemp", "mv", "printenv",
            "ps", "pwd", "rm", "rmdir", "sed", "sh", "sleep", "stat", "sync", "tar", "touch",
            "true", "uname",
        ],
    ),
    (
        "/usr/bin",
        &[
            "[",
            "[[",
            "awk",
            "basename",
            "chgrp",
            "cmp",
            "cut",
            "dirname",
            "du",
            "env",
            "find",
            "flock",
            "free",
            "head",
            "id",
            "nohup",
            "nproc",
            "od",
            "pgrep",
            "pidof",
            "printf",
            "readlink",
            "realpath",
            "seq",
            "setsid",
            "sha256sum",
            "sort",
            "tail",
            "tee",
            "test",
            "timeout",
            "tr",
            "tty",
            "uniq",
            "uptime",
            "wc",
            "which",
            "whoami",
            "xargs",
            "yes",
        ],
    ),
];

/// Puts busybox and its links in place; `more` are links to programs that the machine itself runs.
pub(crate) fn install(files: &mut Files, more: &[(&str, &[&str])]) -> Result<(), Errno> {
    files.put("/bin/busybox", binary("busybox"), 0o755)?;
    for (folder, names) in LINKS.iter().chain(more) {
        files.mkdir_all(folder, 0o755)?;
        for name in *names {
            files.symlink("/bin/busybox", &format!("{folder}/{name}"))?;
        }
    }
    Ok(())
}

/// Puts the tools in place as programs of their own, as GNU's are on Debian.
pub(crate) fn install_tools(files: &mut Files) -> Result<(), Errno> {
    for name in LINKS.iter().flat_map(|(_, names)| *names) {
        files.put(&format!("/usr/bin/{name}"), binary(name), 0o755)?;
    }
    files.put("/usr/bin/bash", binary("bash"), 0o755)?;
    files.symlink("/usr/bin", "/bin")?;
    for (path, device) in [
        ("/dev/null", "null"),
        ("/dev/zero", "zero"),
        ("/dev/urandom", "urandom"),
    ] {
        files.device(path, device)?;
    }
    files.mkdir_all("/tmp", 0o1777)
}

/// Runs an applet.
pub(crate) async fn run(name: &str, call: &mut Call) -> Done {
    match name {
        "[" | "[[" | "test" => test::main(call).await,
        "true" | "sync" => Ok(0),
        "false" => Ok(1),
        "echo" => print::echo(call).await,
        "printf" => printf::printf(call).await,
        "yes" => print::yes(call).await,
        "seq" => print::seq(call).await,
        "pwd" => print::pwd(call).await,
        "basename" => print::basename(call).await,
        "dirname" => print::dirname(call).await,
        "cat" => copy::cat(call).await,
        "cp" => copy::cp(call).await,
        "mv" => copy::mv(call).await,
        "tee" => copy::tee(call).await,
        "cmp" => copy::cmp(call).await,
        "mkdir" => change::mkdir(call).await,
        "rmdir" => change::rmdir(call).await,
        "rm" => change::rm(call).await,
        "ln" => change::ln(call).await,
        "touch" => change::touch(call).await,
        "mktemp" => change::mktemp(call).await,
        "chmod" => change::chmod(call).await,
        "chown" | "chgrp" => change::chown(call).await,
        "ls" => look::ls(call).await,
        "stat" => look::stat(call).await,
        "readlink" | "realpath" => look::readlink(call).await,
        "df" => look::df(call).await,
        "du" => look::du(call).await,
        "which" => look::which(call).await,
        "find" => walk::find(call).await,
        "head" | "tail" => text::head_or_tail(call).await,
        "wc" => text::wc(call).await,
        "sort" => text::sort(call).await,
        "uniq" => text::uniq(call).await,
        "cut" => filter::cut(call).await,
        "tr" => filter::tr(call).await,
        "awk" => filter::awk(call).await,
        "xargs" => filter::xargs(call).await,
        "grep" | "egrep" | "fgrep" => grep::main(call).await,
        "sed" => sed::main(call).await,
        "base64" => digest::base64(call).await,
        "sha256sum" => digest::sha256sum(call).await,
        "od" => digest::od(call).await,
        "tar" => archive::main(call).await,
        "sleep" => time::sleep(call).await,
        "timeout" => time::timeout(call).await,
        "date" => time::date(call).await,
        "env" | "printenv" => system::env(call).await,
        "nohup" | "setsid" => system::detached(call).await,
        "flock" => system::flock(call).await,
        "id" | "whoami" => system::id(call).await,
        "hostname" => system::hostname(call).await,
        "uname" => system::uname(call).await,
        "nproc" => system::nproc(call).await,
        "free" => system::free(call).await,
        "uptime" => system::uptime(call).await,
        "tty" => system::tty(call).await,
        "ps" => system::ps(call).await,
        "pidof" | "pgrep" => system::pidof(call).await,
        "kill" => system::kill(call).await,
        "busybox" => system::busybox(call).await,
        other => {
            call.err(format!("{other}: applet not found\n")).await;
            Err(127)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_is_an_applet() {
        let table = include_str!("applets.rs");
        let table = table.split("pub(crate) async fn run").nth(1).unwrap();
        for name in LINKS.iter().flat_map(|(_, names)| *names) {
            let shell = matches!(*name, "sh" | "ash");
            assert!(
                shell || table.contains(&format!("\"{name}\"")),
                "{name} has no implementation"
            );
        }
    }
}

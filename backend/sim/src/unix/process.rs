//! Running a program: finding it in `PATH`, its arguments, environment and descriptors.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::applets;
use super::clock::Clock;
use super::fd::{Fd, Fds, Unwritable};
use super::files::{self, Errno, Kind};
use super::machine::Machine;
use super::shell;

/// How a program ends: its exit code, either way. `Err` is what `?` takes when there is nothing more to do.
pub(crate) type Done = Result<i32, i32>;

/// Exit code of a process that wrote to a pipe which nobody reads.
const SIGPIPE: i32 = 141;

/// First bytes of a program that is part of the simulation; its name follows.
const MAGIC: &str = "\x7fELF simulated: ";

/// The contents of a program file.
pub(crate) fn binary(name: &str) -> String {
    format!("{MAGIC}{name}\n")
}

/// A program about to run, or running.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) argv: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: String,
    pub(crate) fds: Fds,
    pub(crate) umask: u32,
    pub(crate) pid: u32,
}

impl Call {
    /// The program's own name, without its folder.
    pub(crate) fn name(&self) -> &str {
        let first = self.argv.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or(first)
    }

    /// The arguments after the name.
    pub(crate) fn args(&self) -> &[String] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// A path as seen from the working folder.
    pub(crate) fn path(&self, path: &str) -> String {
        files::join(&self.cwd, path)
    }

    /// The same circumstances for another program.
    pub(crate) fn with(&self, argv: Vec<String>) -> Self {
        Self {
            argv,
            ..self.clone()
        }
    }

    pub(crate) fn fd(&self, number: u32) -> Fd {
        self.fds.get(number).cloned().unwrap_or(Fd::Null)
    }

    /// Writes to standard output.
    pub(crate) async fn out(&self, text: impl Into<Bytes> + Send) -> Result<(), i32> {
        match self.fds.get(1) {
            Some(fd) => match fd.write(text.into()).await {
                Ok(()) => Ok(()),
                Err(Unwritable::Broken) => Err(SIGPIPE),
                Err(reason) => self.fail(&format!("write error: {reason}")).await,
            },
            None => self.fail("write error: Bad file descriptor").await,
        }
    }

    /// Writes to standard error; nobody listening is no reason to end.
    pub(crate) async fn err(&self, text: impl Into<Bytes> + Send) {
        if let Some(fd) = self.fds.get(2) {
            // A program cannot tell anybody that its standard error is closed.
            let _ = fd.write(text.into()).await;
        }
    }

    /// `name: message` on standard error, and the end with code 1.
    pub(crate) async fn fail<T>(&self, message: &str) -> Result<T, i32> {
        self.fail_with(1, message).await
    }

    /// `name: message` on standard error, and the end with this code.
    pub(crate) async fn fail_with<T>(&self, code: i32, message: &str) -> Result<T, i32> {
        self.err(format!("{}: {message}\n", self.name())).await;
        Err(code)
    }

    /// What busybox says to an option that it does not know.
    pub(crate) async fn usage<T>(&self, option: &str) -> Result<T, i32> {
        let name = self.name().to_owned();
        let text = format!(
            "{name}: unrecognized option: {}
",
            option.trim_start_matches('-')
        );
        self.err(format!(
            "{text}BusyBox multi-call binary.\n\nUsage: {name} …\n"
        ))
        .await;
        Err(1)
    }

    /// Opens a file for reading; a folder is none.
    pub(crate) fn open(&self, path: &str) -> Result<Fd, Errno> {
        let path = self.path(path);
        if self.machine.base().files().stat(&path)?.is_dir() {
            return Err(Errno::IsDirectory);
        }
        self.machine.base().open(&path)
    }

    /// A file's bytes, or standard input's for `-`.
    pub(crate) async fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        if path == "-" || path == "/dev/stdin" {
            return Ok(self.fd(0).read_all().await);
        }
        Ok(self.open(path)?.read_all().await)
    }
}

/// Why a program cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unstartable {
    /// 127.
    NotFound,
    /// 126.
    NotExecutable,
}

impl Unstartable {
    pub(crate) const fn code(self) -> i32 {
        match self {
            Self::NotFound => 127,
            Self::NotExecutable => 126,
        }
    }
}

/// What a program file holds.
enum Program {
    /// Part of the simulation, known by this name.
    Binary(String),
    /// A script and the words of its first line.
    Script(String, Vec<String>),
}

/// The file that `name` stands for: itself when it holds a slash, else the first in `PATH`.
pub(crate) fn find(
    machine: &dyn Machine,
    path: Option<&str>,
    cwd: &str,
    name: &str,
) -> Result<String, Unstartable> {
    let files = machine.base().files();
    let check = |candidate: String| match files.stat(&candidate) {
        Ok(node) if node.is_dir() || node.mode & 0o111 == 0 => Err(Unstartable::NotExecutable),
        Ok(_) => Ok(candidate),
        Err(_) => Err(Unstartable::NotFound),
    };
    if name.contains('/') {
        return check(files::join(cwd, name));
    }
    if name.is_empty() {
        return Err(Unstartable::NotFound);
    }
    path.unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .split(':')
        .find_map(|folder| check(files::join(&files::join(cwd, folder), name)).ok())
        .ok_or(Unstartable::NotFound)
}

fn load(machine: &dyn Machine, path: &str) -> Result<Program, Unstartable> {
    let files = machine.base().files();
    let ino = files.lookup(path).map_err(|_| Unstartable::NotFound)?;
    let Some(Kind::File(bytes)) = files.node(ino).map(|node| &node.kind) else {
        return Err(Unstartable::NotExecutable);
    };
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    if let Some(name) = first.strip_prefix(MAGIC) {
        return Ok(Program::Binary(name.to_owned()));
    }
    let interpreter = match first.strip_prefix("#!") {
        Some(line) => line.split_whitespace().map(str::to_owned).collect(),
        // execve refuses a text without a first line; shells then read it themselves.
        None => vec!["/bin/sh".to_owned()],
    };
    Ok(Program::Script(path.to_owned(), interpreter))
}

/// Starts a program and waits for its end. `Err` when there is nothing to start; nothing was written then.
pub(crate) fn execute(call: Call) -> BoxFuture<'static, Result<i32, Unstartable>> {
    async move {
        let machine = Arc::clone(&call.machine);
        let search = call.env.get("PATH").map(String::as_str);
        let name = call.argv.first().cloned().unwrap_or_default();
        let path = find(machine.as_ref(), search, &call.cwd, &name)?;
        match load(machine.as_ref(), &path)? {
            Program::Binary(program) => Ok(run(&program, call).await),
            Program::Script(path, mut interpreter) => {
                if interpreter.is_empty() {
                    return Err(Unstartable::NotFound);
                }
                interpreter.push(path);
                interpreter.extend(call.args().iter().cloned());
                execute(call.with(interpreter)).await
            }
        }
    }
    .boxed()
}

async fn run(program: &str, mut call: Call) -> i32 {
    let machine = Arc::clone(&call.machine);
    let process = machine.base().register(&call.argv.join(" "));
    call.pid = process.pid();
    // busybox is one program under many names, and `busybox NAME` is another way to say the name.
    if program == "busybox" && call.name() == "busybox" && call.argv.len() > 1 {
        call.argv.remove(0);
    }
    let program = match program {
        "busybox" => call.name().to_owned(),
        other => other.to_owned(),
    };
    let work = async {
        let done = match program.as_str() {
            "sh" | "ash" | "bash" | "dash" => shell::main(&mut call).await,
            _ => match machine.run(&program, &mut call).await {
                Some(done) => done,
                None => applets::run(&program, &mut call).await,
            },
        };
        done.unwrap_or_else(|code| code)
    };
    tokio::select! {
        code = work => code,
        signal = process.signalled() => 128 + i32::try_from(signal).unwrap_or(9),
    }
}

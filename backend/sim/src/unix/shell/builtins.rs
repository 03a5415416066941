//! Commands that the shell carries out itself.

use super::{DEEPEST, Flow, Shell, Stop};
use crate::unix::applets;
use crate::unix::files;
use crate::unix::process::find;

/// Builtins that change the shell.
const CHANGING: &[&str] = &[
    ":", ".", "source", "break", "cd", "command", "continue", "eval", "exit", "export", "getopts",
    "hash", "jobs", "local", "read", "readonly", "return", "set", "shift", "times", "trap", "type",
    "ulimit", "umask", "unset", "wait",
];

/// Programs that the shell runs without starting a process; their files need not exist.
const INSIDE: &[&str] = &[
    "[", "[[", "echo", "false", "kill", "printf", "pwd", "test", "true",
];

pub(super) fn is_builtin(name: &str) -> bool {
    CHANGING.contains(&name) || INSIDE.contains(&name) || name == "exec"
}

impl Shell {
    pub(super) async fn builtin(&mut self, argv: &[String]) -> Flow {
        let name = argv[0].as_str();
        match name {
            ":" | "hash" | "jobs" => Ok(0),
            "break" | "continue" | "return" | "exit" => self.leave(argv).await,
            "cd" => self.cd(argv).await,
            "eval" => self.text(&argv[1..].join(" ")).await,
            "." | "source" => self.source(argv).await,
            "command" => self.command_builtin(argv).await,
            "type" => self.describe(&argv[1..], true).await,
            "export" | "readonly" => self.declare(argv).await,
            "local" => self.local(argv).await,
            "unset" => Ok(self.unset(argv)),
            "set" => self.set(argv).await,
            "shift" => self.shift(argv).await,
            "read" => self.read(argv).await,
            "trap" => self.trap(argv).await,
            "getopts" => self.getopts(argv).await,
            "umask" => self.umask(argv).await,
            "wait" => Ok(self.wait_jobs(&argv[1..]).await),
            "times" => Ok(self.say("0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n").await),
            "ulimit" => Ok(self.say("unlimited\n").await),
            _ => {
                let mut call = self.call(argv.to_vec());
                Ok(applets::run(name, &mut call)
                    .await
                    .unwrap_or_else(|code| code))
            }
        }
    }

    /// Writes to standard output; the status of doing so.
    async fn say(&self, text: &str) -> i32 {
        let written = self
            .call(vec![self.name.clone()])
            .out(text.to_owned())
            .await;
        written.err().unwrap_or(0)
    }

    async fn leave(&mut self, argv: &[String]) -> Flow {
        let number = match argv.get(1).map(|word| word.parse::<i32>()) {
            None => None,
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => {
                self.complain(&format!("{}: Illegal number: {}", argv[0], argv[1]))
                    .await;
                return Err(Stop::Exit(2));
            }
        };
        let levels = number
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(1)
            .max(1);
        let status = number.map_or(self.status, |number| number & 0xff);
        Err(match argv[0].as_str() {
            "break" => Stop::Break(levels),
            "continue" => Stop::Continue(levels),
            "return" => Stop::Return(status),
            _ => Stop::Exit(status),
        })
    }

    async fn cd(&mut self, argv: &[String]) -> Flow {
        let words: Vec<&str> = argv[1..]
            .iter()
            .map(String::as_str)
            .filter(|word| *word != "--")
            .collect();
        let target = match words.first() {
            None => self.get("HOME").unwrap_or("/").to_owned(),
            Some(&"-") => self.get("OLDPWD").unwrap_or(&self.cwd).to_owned(),
            Some(target) => (*target).to_owned(),
        };
        let path = files::tidy(&files::join(&self.cwd, &target));
        let reason = match self.machine.base().files().stat(&path) {
            Ok(node) if node.is_dir() => None,
            Ok(_) => Some(files::Errno::NotDirectory),
            Err(errno) => Some(errno),
        };
        if let Some(errno) = reason {
            self.complain(&format!("cd: can't cd to {target}: {errno}"))
                .await;
            return Ok(2);
        }
        let before = std::mem::replace(&mut self.cwd, path.clone());
        self.assign("OLDPWD", before).await?;
        self.assign("PWD", path.clone()).await?;
        if words.first() == Some(&"-") {
            return Ok(self.say(&format!("{path}\n")).await);
        }
        Ok(0)
    }

    async fn source(&mut self, argv: &[String]) -> Flow {
        let Some(name) = argv.get(1) else {
            self.complain(".: filename argument required").await;
            return Err(Stop::Exit(2));
        };
        let path = files::join(&self.cwd, name);
        let text = self.machine.base().files().text(&path);
        let Some(text) = text.filter(|_| self.depth < DEEPEST) else {
            self.complain(&format!(
                ".: can't open '{name}': No such file or directory"
            ))
            .await;
            return Err(Stop::Exit(2));
        };
        self.depth += 1;
        let flow = self.text(&text).await;
        self.depth -= 1;
        match flow {
            Err(Stop::Return(code)) => Ok(code),
            other => other,
        }
    }

    async fn command_builtin(&mut self, argv: &[String]) -> Flow {
        match argv.get(1).map(String::as_str) {
            Some("-v") => self.describe(&argv[2..], false).await,
            Some("-V") => self.describe(&argv[2..], true).await,
            None => Ok(0),
            Some(_) => {
                let rest: Vec<String> = argv[1..]
                    .iter()
                    .filter(|word| *word != "-p")
                    .cloned()
                    .collect();
                let saved = self.functions.remove(&rest[0]);
                let fds = self.fds.clone();
                let flow = Box::pin(self.dispatch(rest.clone(), Vec::new(), fds)).await;
                if let Some(body) = saved {
                    self.functions.insert(rest[0].clone(), body);
                }
                flow
            }
        }
    }

    /// `command -v` and `type`.
    async fn describe(&mut self, names: &[String], long: bool) -> Flow {
        let mut status = 0;
        for name in names {
            let text = if self.functions.contains_key(name) {
                if long {
                    format!("{name} is a shell function\n")
                } else {
                    format!("{name}\n")
                }
            } else if is_builtin(name) {
                if long {
                    format!("{name} is a shell builtin\n")
                } else {
                    format!("{name}\n")
                }
            } else {
                match find(self.machine.as_ref(), self.get("PATH"), &self.cwd, name) {
                    Ok(path) if long => format!("{name} is {path}\n"),
                    Ok(path) => format!("{path}\n"),
                    Err(_) => {
                        status = 127;
                        if long {
                            self.complain(&format!("{name}: not found")).await;
                        }
                        continue;
                    }
                }
            };
            let written = self.say(&text).await;
            if written != 0 {
                return Ok(written);
            }
        }
        Ok(status)
    }

    async fn umask(&mut self, argv: &[String]) -> Flow {
        let Some(text) = argv.get(1) else {
            let text = format!("{:04o}\n", self.umask);
            return Ok(self.say(&text).await);
        };
        if let Ok(mask) = u32::from_str_radix(text, 8) {
            self.umask = mask & 0o777;
            Ok(0)
        } else {
            self.complain(&format!("umask: Illegal mode: {text}")).await;
            Ok(2)
        }
    }
}

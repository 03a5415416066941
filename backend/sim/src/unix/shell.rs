//! A POSIX shell: evaluates what `brush-parser` reads, over a [`Machine`].
//!
//! Errors and exit codes are those of busybox ash, or of bash where the machine is a Debian one. Pipelines run
//! concurrently, output is written as it is produced. A subshell is a clone of the shell.

mod arithmetic;
mod builtins;
mod declare;
mod expand;
mod jobs;
mod parameter;
mod read;
mod redirect;
mod run;
mod script;
mod simple;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use brush_parser::ast::FunctionBody;

use super::clock::Clock;
use super::fd::Fds;
use super::machine::{Flavour, Machine};
use super::process::{Call, Done};
use jobs::Job;

/// Why a list of commands is left before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Exit(i32),
    Return(i32),
    Break(u32),
    Continue(u32),
}

/// The exit status of a command, or that more than it ends.
type Flow = Result<i32, Stop>;

#[derive(Clone, Debug, Default)]
struct Variable {
    /// `None`: declared (`export X`) but not set.
    value: Option<String>,
    exported: bool,
    readonly: bool,
}

/// What `set -o` switches.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the shell's own switches, one letter each"
)]
struct Options {
    errexit: bool,
    nounset: bool,
    pipefail: bool,
    xtrace: bool,
    noglob: bool,
    noclobber: bool,
    noexec: bool,
    allexport: bool,
}

/// Functions and sourced files inside one another; past this a script is taken to run away.
const DEEPEST: u32 = 200;

/// A shell and everything that a subshell inherits.
#[derive(Clone)]
pub(crate) struct Shell {
    machine: Arc<dyn Machine>,
    clock: Arc<Clock>,
    fds: Fds,
    cwd: String,
    umask: u32,
    pid: u32,
    name: String,
    args: Vec<String>,
    variables: HashMap<String, Variable>,
    functions: HashMap<String, Arc<FunctionBody>>,
    options: Options,
    traps: BTreeMap<String, String>,
    /// What `local` has to put back, one frame for each running function.
    locals: Vec<Vec<(String, Option<Variable>)>>,
    jobs: Vec<Job>,
    status: i32,
    /// Status of the last `$(…)` of the current command.
    substituted: Option<i32>,
    last_background: Option<u32>,
    /// Above zero where a failure is looked at (`if`, `&&`, `!`), so that `set -e` does not end the script.
    tested: u32,
    depth: u32,
}

impl Shell {
    /// A shell in the circumstances of a call, which becomes `$0`.
    pub(crate) fn new(call: &Call) -> Self {
        let mut variables: HashMap<String, Variable> = call
            .env
            .iter()
            .map(|(name, value)| {
                let variable = Variable {
                    value: Some(value.clone()),
                    exported: true,
                    readonly: false,
                };
                (name.clone(), variable)
            })
            .collect();
        variables.entry("PWD".to_owned()).or_default().value = Some(call.cwd.clone());
        variables.entry("IFS".to_owned()).or_default().value = Some(" \t\n".to_owned());
        variables.entry("OPTIND".to_owned()).or_default().value = Some("1".to_owned());
        Self {
            machine: Arc::clone(&call.machine),
            clock: Arc::clone(&call.clock),
            fds: call.fds.clone(),
            cwd: call.cwd.clone(),
            umask: call.umask,
            pid: call.pid,
            name: call
                .argv
                .first()
                .cloned()
                .unwrap_or_else(|| "sh".to_owned()),
            args: Vec::new(),
            variables,
            functions: HashMap::new(),
            options: Options::default(),
            traps: BTreeMap::new(),
            locals: Vec::new(),
            jobs: Vec::new(),
            status: 0,
            substituted: None,
            last_background: None,
            tested: 0,
            depth: 0,
        }
    }

    /// A copy that cannot change this shell.
    fn subshell(&self) -> Self {
        let mut copy = self.clone();
        copy.traps.clear();
        copy.jobs.clear();
        copy
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .and_then(|variable| variable.value.as_deref())
    }

    /// Assigns; a read-only variable ends the script, as in ash.
    async fn assign(&mut self, name: &str, value: String) -> Result<(), Stop> {
        let variable = self.variables.entry(name.to_owned()).or_default();
        if variable.readonly {
            self.complain(&format!("{name}: is read only")).await;
            return Err(Stop::Exit(2));
        }
        variable.value = Some(value);
        variable.exported |= self.options.allexport;
        Ok(())
    }

    fn environment(&self) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .filter(|(_, variable)| variable.exported)
            .filter_map(|(name, variable)| Some((name.clone(), variable.value.clone()?)))
            .collect()
    }

    /// The shell's circumstances as a call, for programs and for builtins that are programs too.
    fn call(&self, argv: Vec<String>) -> Call {
        Call {
            machine: Arc::clone(&self.machine),
            clock: Arc::clone(&self.clock),
            argv,
            env: self.environment(),
            cwd: self.cwd.clone(),
            fds: self.fds.clone(),
            umask: self.umask,
            pid: self.pid,
        }
    }

    /// `sh: message` on standard error.
    async fn complain(&self, message: &str) {
        let name = match self.machine.base().flavour() {
            Flavour::Busybox => self.name.clone(),
            Flavour::Debian => format!("{}: line 1", self.name),
        };
        self.call(Vec::new())
            .err(format!("{name}: {message}\n"))
            .await;
    }

    fn letters(&self) -> String {
        let options = self.options;
        [
            (options.errexit, 'e'),
            (options.nounset, 'u'),
            (options.xtrace, 'x'),
            (options.noglob, 'f'),
            (options.noclobber, 'C'),
            (options.allexport, 'a'),
        ]
        .into_iter()
        .filter_map(|(on, letter)| on.then_some(letter))
        .collect()
    }

    /// Switches one option by its letter; false when there is no such letter.
    fn switch(&mut self, letter: char, on: bool) -> bool {
        let options = &mut self.options;
        match letter {
            'e' => options.errexit = on,
            'u' => options.nounset = on,
            'x' => options.xtrace = on,
            'f' => options.noglob = on,
            'C' => options.noclobber = on,
            'n' => options.noexec = on,
            'a' => options.allexport = on,
            // Nobody is at the keyboard: monitor, verbose, ignoreeof, notify change nothing.
            'm' | 'v' | 'I' | 'b' | 'h' | 'B' => {}
            _ => return false,
        }
        true
    }

    /// Switches one option by its long name; false when there is no such name.
    fn switch_long(&mut self, name: &str, on: bool) -> bool {
        let letter = match name {
            "errexit" => 'e',
            "nounset" => 'u',
            "xtrace" => 'x',
            "noglob" => 'f',
            "noclobber" => 'C',
            "noexec" => 'n',
            "allexport" => 'a',
            "pipefail" => {
                self.options.pipefail = on;
                return true;
            }
            "monitor" | "verbose" | "ignoreeof" | "notify" => return true,
            _ => return false,
        };
        self.switch(letter, on)
    }
}

/// `sh [-eux…] [-o NAME] [-c TEXT | -s | FILE] [ARG…]`.
pub(crate) async fn main(call: &mut Call) -> Done {
    let mut shell = Shell::new(call);
    let mut arguments = call.args().iter().cloned();
    let (mut text, mut from_input) = (false, false);
    let mut operands: Vec<String> = Vec::new();
    while let Some(argument) = arguments.next() {
        let on = argument.starts_with('-');
        if argument == "--" || argument == "-" {
            break;
        }
        if argument.len() < 2 || !(on || argument.starts_with('+')) {
            operands.push(argument);
            break;
        }
        for letter in argument.chars().skip(1) {
            let known = match letter {
                'c' => {
                    text = true;
                    true
                }
                's' => {
                    from_input = true;
                    true
                }
                'l' | 'i' => true,
                'o' => match arguments.next() {
                    Some(name) => shell.switch_long(&name, on),
                    None => true,
                },
                letter => shell.switch(letter, on),
            };
            if !known {
                shell.complain(&format!("illegal option -{letter}")).await;
                return Err(2);
            }
        }
    }
    operands.extend(arguments);
    if text {
        let mut operands = operands.into_iter();
        let Some(script) = operands.next() else {
            shell.complain("-c requires an argument").await;
            return Err(2);
        };
        if let Some(name) = operands.next() {
            shell.name = name;
        }
        shell.args = operands.collect();
        return Ok(shell.run_text(&script).await);
    }
    if from_input || operands.is_empty() {
        shell.args = operands;
        return Ok(shell.run_input().await);
    }
    let file = operands.remove(0);
    let Ok(script) = call.read(&file).await else {
        shell
            .complain(&format!("can't open '{file}': No such file or directory"))
            .await;
        return Err(if shell.machine.base().flavour() == Flavour::Debian {
            127
        } else {
            2
        });
    };
    shell.name = file;
    shell.args = operands;
    Ok(shell.run_text(&String::from_utf8_lossy(&script)).await)
}

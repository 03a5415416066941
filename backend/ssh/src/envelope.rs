//! The command line that carries a command: quoting, a clean environment, a bound in time, and the marks around it.
//!
//! ```text
//! sshd ─► root's login shell ─► timeout ─► pct exec ID -- env -i … sh -c ENVELOPE sh NONCE SECONDS argv…
//!                                                             └ mark · timeout SECONDS argv… · mark with the code
//! ```
//!
//! `pct` decodes its arguments by the locale that sshd happened to give it, which mangles all that is not ASCII. Such
//! arguments travel as base64 of a shell-quoted list and are unpacked inside the container.
//!
//! `env -i` and not `pct exec --keep-env 0`: it clears as much, and every `pct` has it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;

/// Takes nonce and seconds off the arguments; the rest is the command.
const PLAIN: &str = r"p=$1 s=$2; shift 2; ";
/// The same for a command that is packed into one argument.
const PACKED: &str = r#"p=$1 s=$2; eval "set -- $(printf %s "$3" | base64 -d)"; "#;
/// Runs the command between the marks. TERM first, so that a program can clean up, then KILL. Both busybox (1.34 and
/// later) and GNU know these short options, and no long ones in common.
const COMMAND: &str = concat!(
    r#"printf 'proximity-begin %s\n' "$p" >&2; timeout -k 10 -s TERM "$s" "$@"; c=$?; "#,
    r#"printf 'proximity-end %s %s\n' "$p" "$c" >&2; exit "$c""#
);
/// The same, and ends the command when standard input ends, that is when the connection does. `cat` must hold neither
/// output, or the channel would stay open for it. GNU `timeout` leads a process group, and told so early that it does not
/// know its child yet it would end alone, so the group is told; busybox's has become the command itself.
const FOLLOWED: &str = concat!(
    r#"printf 'proximity-begin %s\n' "$p" >&2; exec 3<&0; timeout -k 10 -s TERM "$s" "$@" </dev/null 3<&- & c=$!; "#,
    r#"(cat <&3; kill -s TERM -- "-$c" || kill "$c") >/dev/null 2>&1 & w=$!; wait "$c"; r=$?; kill "$w" 2>/dev/null; "#,
    r#"printf 'proximity-end %s %s\n' "$p" "$r" >&2; exit "$r""#
);

/// A container has no useful environment of its own: no HOME, and `pct` leaves `/usr/local/bin` out of PATH.
const ENVIRONMENT: [&str; 6] = [
    "/usr/bin/env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "container=lxc",
];

/// How long a followed command may live at most.
pub(crate) const FOLLOW_LIMIT: Duration = Duration::from_hours(12);
/// Linux takes 128 KiB for one argument (`MAX_ARG_STRLEN`), and sshd hands the whole line over as one.
const LONGEST: usize = 120 * 1024;

/// A command line, ready to be sent, and what is needed to understand the answer.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// What the login shell gets.
    pub(crate) line: String,
    /// What the marks carry, so that no output can be taken for them.
    pub(crate) nonce: String,
    /// After how many seconds the far side ends the command.
    pub(crate) seconds: u64,
    /// The container it runs in, if in any.
    pub(crate) vmid: Option<u32>,
}

/// Who speaks to `pct`: root by itself, others through sudo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    Root,
    Sudo,
}

impl Envelope {
    /// A command on the node itself.
    pub(crate) fn on_node(argv: &[String], deadline: Duration) -> Result<Self, Error> {
        let mut envelope = Self::empty(None, deadline);
        let mut words = envelope.shell(&[PLAIN, COMMAND].concat());
        words.extend_from_slice(argv);
        envelope.line = quoted(argv, &words)?;
        Ok(envelope)
    }

    /// A command in a container.
    pub(crate) fn in_container(
        vmid: u32,
        rights: Rights,
        argv: &[String],
        deadline: Duration,
    ) -> Result<Self, Error> {
        Self::wrapped(vmid, rights, argv, deadline, COMMAND)
    }

    /// A command in a container that lives as long as its connection.
    pub(crate) fn followed(vmid: u32, rights: Rights, argv: &[String]) -> Result<Self, Error> {
        Self::wrapped(vmid, rights, argv, FOLLOW_LIMIT, FOLLOWED)
    }

    fn wrapped(
        vmid: u32,
        rights: Rights,
        argv: &[String],
        deadline: Duration,
        runner: &str,
    ) -> Result<Self, Error> {
        let mut envelope = Self::empty(Some(vmid), deadline);
        // A container that is frozen (by a backup, say) lets pct wait; without a bound of its own the command would
        // start whenever the container thaws, long after its caller gave up.
        let bound = envelope.seconds.saturating_add(15).to_string();
        let vmid = vmid.to_string();
        let sudo: &[&str] = match rights {
            Rights::Root => &[],
            Rights::Sudo => &["sudo", "-n"],
        };
        let pct = ["timeout", "-s", "KILL", &bound, "pct", "exec", &vmid, "--"];
        let head = sudo.iter().chain(&pct).chain(&ENVIRONMENT);
        let mut words: Vec<String> = head.map(ToString::to_string).collect();
        if argv.iter().all(|argument| printable(argument)) {
            words.extend(envelope.shell(&[PLAIN, runner].concat()));
            words.extend_from_slice(argv);
        } else {
            words.extend(envelope.shell(&[PACKED, runner].concat()));
            words.push(STANDARD.encode(join(argv)?));
        }
        envelope.line = quoted(argv, &words)?;
        Ok(envelope)
    }

    fn empty(vmid: Option<u32>, deadline: Duration) -> Self {
        let more = u64::from(deadline.subsec_nanos() > 0);
        let whole = deadline.as_secs().saturating_add(more);
        Self {
            line: String::new(),
            nonce: format!("{:032x}", rand::random::<u128>()),
            // timeout takes 0 for "never"
            seconds: whole.max(1),
            vmid,
        }
    }

    /// The shell with its script; the command's own words follow as its arguments and are never parsed again.
    fn shell(&self, script: &str) -> Vec<String> {
        let seconds = self.seconds.to_string();
        ["sh", "-c", script, "sh", &self.nonce, &seconds]
            .map(String::from)
            .into()
    }
}

/// Whether `pct` leaves a text as it is.
fn printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The line for the login shell, if `argv` can be carried at all.
fn quoted(argv: &[String], words: &[String]) -> Result<String, Error> {
    let program = argv.first().map_or("", String::as_str);
    if program.is_empty() || program.starts_with('-') {
        return Err(Error::Invalid {
            reason: "a command needs a program, and its name cannot begin with a dash".into(),
        });
    }
    let line = join(words)?;
    if line.len() > LONGEST {
        return Err(Error::Invalid {
            reason: "the command line is too long: long texts go by standard input".into(),
        });
    }
    Ok(line)
}

fn join(words: &[String]) -> Result<String, Error> {
    shlex::try_join(words.iter().map(String::as_str)).map_err(|_| Error::Invalid {
        reason: "an argument holds a NUL byte".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn exec(words: &[&str]) -> Result<Envelope, Error> {
        Envelope::in_container(101, Rights::Root, &argv(words), Duration::from_millis(1500))
    }

    #[test]
    fn plain_arguments_stay_readable() {
        let envelope = exec(&["docker", "compose", "it's"]).unwrap();
        assert_eq!(envelope.seconds, 2);
        let words = shlex::split(&envelope.line).unwrap();
        assert_eq!(
            words[..8],
            ["timeout", "-s", "KILL", "17", "pct", "exec", "101", "--"]
        );
        assert_eq!(words[8..10], ["/usr/bin/env", "-i"]);
        assert_eq!(words[words.len() - 3..], ["docker", "compose", "it's"]);
        assert_eq!(words[words.len() - 5], envelope.nonce);
    }

    #[test]
    fn what_pct_would_mangle_travels_as_ascii() {
        for odd in ["Grüße", "two\nlines", "\u{81}\t", "日本"] {
            let envelope = exec(&["echo", odd]).unwrap();
            assert!(printable(&envelope.line), "{}", envelope.line);
            let words = shlex::split(&envelope.line).unwrap();
            let list = STANDARD.decode(words.last().unwrap()).unwrap();
            let list = String::from_utf8(list).unwrap();
            assert_eq!(shlex::split(&list).unwrap(), ["echo", odd]);
        }
    }

    #[test]
    fn others_than_root_ask_sudo() {
        let envelope = Envelope::followed(7_000, Rights::Sudo, &argv(&["id"])).unwrap();
        assert!(
            envelope
                .line
                .starts_with("sudo -n timeout -s KILL 43215 pct exec 7000 -- ")
        );
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        let refused = |words: &[&str]| matches!(exec(words), Err(Error::Invalid { .. }));
        assert!(refused(&[]));
        assert!(refused(&["a\0b"]));
        assert!(refused(&["ä\0b"]));
        assert!(refused(&[""]));
        assert!(refused(&["-k"]));
        assert!(refused(&["echo", &"x".repeat(LONGEST)]));
        assert!(!refused(&["echo", "", "-k"]));
    }

    #[test]
    fn two_envelopes_have_two_nonces() {
        assert_ne!(exec(&["id"]).unwrap().nonce, exec(&["id"]).unwrap().nonce);
    }
}

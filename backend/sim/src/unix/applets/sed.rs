//! `sed`: addresses and the commands `s`, `d`, `p`, `q`, `a`, `i`, `c`, `y` is not.

use super::options::{Order, parse};
use super::text::{contents, next_line};
use crate::unix::process::{Call, Done};
use crate::unix::regex::Regex;

enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

enum Action {
    Substitute {
        regex: Regex,
        replacement: String,
        first: usize,
        all: bool,
        print: bool,
    },
    Delete,
    Print,
    Quit,
    Append(String),
    Insert(String),
    Change(String),
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
    /// Inside the range that `from` opened.
    inside: bool,
}

pub(super) async fn main(call: &mut Call) -> Done {
    let given = parse(call, "nEre:i", Order::Mixed).await?;
    let extended = given.has('E') || given.has('r');
    let mut operands = given.operands.clone();
    let mut scripts: Vec<String> = given.values('e').map(str::to_owned).collect();
    if scripts.is_empty() {
        if operands.is_empty() {
            return call.fail("no script").await;
        }
        scripts.push(operands.remove(0));
    }
    let mut commands = Vec::new();
    for script in &scripts {
        if let Err(message) = read_script(script, extended, &mut commands) {
            return call.fail(&message).await;
        }
    }
    let quiet = given.has('n');
    if given.has('i') {
        for operand in &operands {
            let (read, code) = contents(call, std::slice::from_ref(operand)).await;
            let Some((_, bytes)) = read.into_iter().next() else {
                return Ok(code);
            };
            let text = edit(&String::from_utf8_lossy(&bytes), &mut commands, quiet);
            let written = {
                let path = call.path(operand);
                let mut files = call.machine.base().files();
                let mode = files.stat(&path).map_or(0o644, |node| node.mode);
                files.put(&path, text, mode)
            };
            if let Err(errno) = written {
                return call.fail(&format!("{operand}: {errno}")).await;
            }
        }
        return Ok(0);
    }
    if !operands.is_empty() {
        let (read, code) = contents(call, &operands).await;
        let bytes: Vec<u8> = read.into_iter().flat_map(|(_, bytes)| bytes).collect();
        call.out(edit(&String::from_utf8_lossy(&bytes), &mut commands, quiet))
            .await?;
        return Ok(code);
    }
    // A stream is passed on line by line; one is held back to know the last.
    let input = call.fd(0);
    let mut number = 0;
    let mut line = next_line(&input).await;
    while let Some((text, ended)) = line {
        line = next_line(&input).await;
        number += 1;
        let mut output = String::new();
        let go_on = apply(
            &text,
            ended,
            number,
            line.is_none(),
            &mut commands,
            quiet,
            &mut output,
        );
        call.out(output).await?;
        if !go_on {
            break;
        }
    }
    Ok(0)
}

fn edit(text: &str, commands: &mut [Command], quiet: bool) -> String {
    let mut output = String::new();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let (body, ended) = line
            .strip_suffix('\n')
            .map_or((*line, false), |body| (body, true));
        if !apply(
            body,
            ended,
            at + 1,
            at + 1 == lines.len(),
            commands,
            quiet,
            &mut output,
        ) {
            break;
        }
    }
    output
}

/// Runs the script on one line; false when it quits.
fn apply(
    line: &str,
    ended: bool,
    number: usize,
    last: bool,
    commands: &mut [Command],
    quiet: bool,
    output: &mut String,
) -> bool {
    let mut space = line.to_owned();
    let mut after = String::new();
    let mut keep = !quiet;
    let mut go_on = true;
    for command in commands {
        if !command.applies(&space, number, last) {
            continue;
        }
        match &command.action {
            Action::Substitute {
                regex,
                replacement,
                first,
                all,
                print,
            } => {
                if let Some(changed) = regex.replace(&space, replacement, *first, *all) {
                    space = changed;
                    if *print {
                        output.push_str(&format!("{space}\n"));
                    }
                }
            }
            Action::Delete => {
                keep = false;
                break;
            }
            Action::Print => output.push_str(&format!("{space}\n")),
            Action::Quit => {
                go_on = false;
                break;
            }
            Action::Append(text) => after.push_str(&format!("{text}\n")),
            Action::Insert(text) => output.push_str(&format!("{text}\n")),
            Action::Change(text) => {
                output.push_str(&format!("{text}\n"));
                keep = false;
                break;
            }
        }
    }
    if keep {
        output.push_str(&space);
        if ended || !after.is_empty() {
            output.push('\n');
        }
    }
    output.push_str(&after);
    go_on
}

impl Command {
    fn applies(&mut self, space: &str, number: usize, last: bool) -> bool {
        let at = |address: &Address| match address {
            Address::Line(wanted) => *wanted == number,
            Address::Last => last,
            Address::Match(regex) => regex.is_match(space),
        };
        let hit = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(from), None) => at(from),
            (Some(from), Some(to)) => {
                if self.inside {
                    self.inside = !at(to);
                    true
                } else {
                    let opens = at(from);
                    self.inside = opens && !matches!(to, Address::Line(line) if *line <= number);
                    opens
                }
            }
        };
        hit != self.negated
    }
}

fn read_script(script: &str, extended: bool, commands: &mut Vec<Command>) -> Result<(), String> {
    let mut rest = script.trim_start_matches([';', '\n', ' ']);
    while !rest.is_empty() {
        let (from, after) = address(rest, extended)?;
        let (to, after) = match after.strip_prefix(',') {
            Some(after) => address(after, extended)?,
            None => (None, after),
        };
        let after = after.trim_start();
        let (negated, after) = match after.strip_prefix('!') {
            Some(after) => (true, after.trim_start()),
            None => (false, after),
        };
        let (action, after) = action(after, extended)?;
        commands.push(Command {
            from,
            to,
            negated,
            action,
            inside: false,
        });
        rest = after.trim_start_matches([';', '\n', ' ', '}']);
    }
    Ok(())
}

fn compile(pattern: &str, extended: bool, ignore_case: bool) -> Result<Regex, String> {
    let regex = if extended {
        Regex::extended(pattern, ignore_case)
    } else {
        Regex::basic(pattern, ignore_case)
    };
    regex.map_err(|_| format!("bad regex '{pattern}': Invalid regexp"))
}

fn address(text: &str, extended: bool) -> Result<(Option<Address>, &str), String> {
    if let Some(after) = text.strip_prefix('$') {
        return Ok((Some(Address::Last), after));
    }
    if let Some(after) = text.strip_prefix('/') {
        let (pattern, after) = delimited(after, '/').ok_or("unterminated address regex")?;
        return Ok((
            Some(Address::Match(compile(&pattern, extended, false)?)),
            after,
        ));
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match text[..digits].parse() {
        Ok(line) => Ok((Some(Address::Line(line)), &text[digits..])),
        Err(_) => Ok((None, text)),
    }
}

/// Text up to an unescaped delimiter, whose escapes are resolved, and what follows.
fn delimited(text: &str, delimiter: char) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == delimiter {
            return Some((found, &text[at + c.len_utf8()..]));
        }
        if c == '\\' {
            let (_, next) = characters.next()?;
            if next != delimiter {
                found.push('\\');
            }
            found.push(next);
        } else {
            found.push(c);
        }
    }
    None
}

fn action(text: &str, extended: bool) -> Result<(Action, &str), String> {
    let mut characters = text.chars();
    let letter = characters.next().ok_or("missing command")?;
    let rest = characters.as_str();
    match letter {
        'd' => Ok((Action::Delete, rest)),
        'p' => Ok((Action::Print, rest)),
        'q' => Ok((Action::Quit, rest)),
        'a' | 'i' | 'c' => {
            let rest = rest.trim_start();
            let rest = rest
                .strip_prefix('\\')
                .map_or(rest, |rest| rest.trim_start_matches('\n'));
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let line = line.to_owned();
            let action = match letter {
                'a' => Action::Append(line),
                'i' => Action::Insert(line),
                _ => Action::Change(line),
            };
            Ok((action, after))
        }
        's' => substitute(rest, extended),
        other => Err(format!("unsupported command {other}")),
    }
}

fn substitute(text: &str, extended: bool) -> Result<(Action, &str), String> {
    let delimiter = text
        .chars()
        .next()
        .ok_or("bad option in substitution expression")?;
    let rest = &text[delimiter.len_utf8()..];
    let (pattern, rest) = delimited(rest, delimiter).ok_or("unmatched '/'")?;
    let (replacement, rest) = delimited(rest, delimiter).ok_or("unmatched '/'")?;
    let end = rest
        .find(|c: char| !matches!(c, 'g' | 'p' | 'i' | 'I' | '0'..='9'))
        .unwrap_or(rest.len());
    let (flags, after) = rest.split_at(end);
    if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err("bad option in substitution expression".to_owned());
    }
    let number: String = flags.chars().filter(char::is_ascii_digit).collect();
    Ok((
        Action::Substitute {
            regex: compile(&pattern, extended, flags.contains(['i', 'I']))?,
            replacement,
            first: number.parse().unwrap_or(1),
            all: flags.contains('g'),
            print: flags.contains('p'),
        },
        after,
    ))
}

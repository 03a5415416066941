//! `cut`, `tr`, `xargs`, and the part of `awk` that picks fields.

use super::options::{Order, parse};
use super::text::{contents, next_line};
use crate::unix::process::{Call, Done, execute};
use crate::unix::regex::Regex;

/// `1,3-5,7-`: which of these, counted from one, are meant.
fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    text.split(',')
        .map(|part| match part.split_once('-') {
            Some((low, high)) => {
                let low = if low.is_empty() { 1 } else { low.parse().ok()? };
                let high = if high.is_empty() {
                    usize::MAX
                } else {
                    high.parse().ok()?
                };
                Some((low, high))
            }
            None => part.parse().ok().map(|number| (number, number)),
        })
        .collect()
}

pub(super) async fn cut(call: &mut Call) -> Done {
    let given = parse(call, "d:f:c:b:s", Order::Mixed).await?;
    let list = given.value('f').or(given.value('c')).or(given.value('b'));
    let Some(ranges) = list.and_then(ranges) else {
        return call
            .fail("expected a list of bytes, characters, or fields")
            .await;
    };
    let chosen = |place: usize| {
        ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&place))
    };
    let delimiter = given.value('d').unwrap_or("\t").to_owned();
    let (inputs, code) = contents(call, &given.operands).await;
    for (_, bytes) in inputs {
        for line in String::from_utf8_lossy(&bytes).lines() {
            let text = if given.has('f') {
                if line.contains(&delimiter) {
                    let fields = line.split(&delimiter).enumerate();
                    let fields: Vec<&str> = fields
                        .filter(|(at, _)| chosen(at + 1))
                        .map(|(_, field)| field)
                        .collect();
                    fields.join(&delimiter)
                } else {
                    if given.has('s') {
                        continue;
                    }
                    line.to_owned()
                }
            } else {
                line.chars()
                    .enumerate()
                    .filter(|(at, _)| chosen(at + 1))
                    .map(|(_, c)| c)
                    .collect()
            };
            call.out(format!("{text}\n")).await?;
        }
    }
    Ok(code)
}

/// `a-z`, `[:upper:]`, `\n` written out.
fn set(text: &str) -> Vec<char> {
    let text = super::unescape(text)
        .replace("[:upper:]", "A-Z")
        .replace("[:lower:]", "a-z")
        .replace("[:digit:]", "0-9")
        .replace("[:alnum:]", "a-zA-Z0-9")
        .replace("[:alpha:]", "a-zA-Z")
        .replace("[:space:]", " \t\n\r\x0b\x0c");
    let characters: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if characters.get(at + 1) == Some(&'-') && at + 2 < characters.len() {
            all.extend(characters[at]..=characters[at + 2]);
            at += 3;
        } else {
            all.push(characters[at]);
            at += 1;
        }
    }
    all
}

pub(super) async fn tr(call: &mut Call) -> Done {
    let given = parse(call, "cds", Order::First).await?;
    let Some(first) = given.operands.first() else {
        return call.fail("missing operand").await;
    };
    let from = set(first);
    let to = given
        .operands
        .get(1)
        .map(|text| set(text))
        .unwrap_or_default();
    let in_set = |c: char| from.contains(&c) != given.has('c');
    // Bytes stand for characters, so that random bytes can be filtered as scripts do for passwords.
    let input = call.fd(0);
    let mut last = None;
    while let Some(piece) = input.read().await {
        let mut output = Vec::with_capacity(piece.len());
        for byte in piece {
            let c = char::from(byte);
            let mut mapped = c;
            if in_set(c) {
                if given.has('d') {
                    continue;
                }
                if let Some(end) = to.last() {
                    let place = from.iter().position(|other| *other == c);
                    mapped = *place.and_then(|place| to.get(place)).unwrap_or(end);
                }
                if given.has('s') && last == Some(mapped) {
                    continue;
                }
            }
            last = Some(mapped);
            output.push(u8::try_from(u32::from(mapped)).unwrap_or(byte));
        }
        call.out(output).await?;
    }
    Ok(0)
}

pub(super) async fn xargs(call: &mut Call) -> Done {
    let given = parse(call, "0rn:I:", Order::First).await?;
    let input = String::from_utf8_lossy(&call.fd(0).read_all().await).into_owned();
    let words: Vec<String> = if given.has('0') {
        input
            .split('\0')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    } else if given.has('I') {
        input.lines().map(|line| line.trim().to_owned()).collect()
    } else {
        input.split_whitespace().map(str::to_owned).collect()
    };
    let command = if given.operands.is_empty() {
        vec!["echo".to_owned()]
    } else {
        given.operands.clone()
    };
    if words.is_empty() && given.has('r') {
        return Ok(0);
    }
    let size = given
        .value('n')
        .and_then(|text| text.parse().ok())
        .unwrap_or(words.len().max(1));
    let size = if given.has('I') { 1 } else { size };
    let mut batches: Vec<&[String]> = words.chunks(size).collect();
    if batches.is_empty() {
        batches.push(&[]);
    }
    let mut code = 0;
    for batch in batches {
        let argv = match given.value('I') {
            Some(mark) => command
                .iter()
                .map(|word| word.replace(mark, &batch[0]))
                .collect(),
            None => command.iter().chain(batch).cloned().collect(),
        };
        match execute(call.with(argv)).await {
            Ok(0) => {}
            Ok(_) => code = 123,
            Err(reason) => {
                return call
                    .fail_with(
                        reason.code(),
                        &format!("{}: No such file or directory", command[0]),
                    )
                    .await;
            }
        }
    }
    Ok(code)
}

/// `awk [-F SEPARATOR] '[/REGEX/ or NR==N] {print FIELDS}'`; any other program is refused.
pub(super) async fn awk(call: &mut Call) -> Done {
    let given = parse(call, "F:v:", Order::First).await?;
    let Some((program, files)) = given.operands.split_first() else {
        return call.fail("usage: awk [-F SEP] PROGRAM [FILE]").await;
    };
    let Some((condition, fields)) = awk_program(program) else {
        return call
            .fail_with(
                2,
                &format!("cmd. line:1: this program is not simulated: {program}"),
            )
            .await;
    };
    let separator = given.value('F').map(super::unescape);
    let print = |line: &str, number: usize| -> Option<String> {
        let applies = match &condition {
            Condition::Always => true,
            Condition::Matches(regex) => regex.is_match(line),
            Condition::Line(wanted) => number == *wanted,
        };
        if !applies {
            return None;
        }
        let parts: Vec<&str> = match &separator {
            Some(separator) => line.split(separator.as_str()).collect(),
            None => line.split_whitespace().collect(),
        };
        let shown: Vec<&str> = fields
            .iter()
            .map(|field| match field {
                Field::Whole => line,
                Field::Number(number) => parts.get(number - 1).copied().unwrap_or(""),
                Field::Last => parts.last().copied().unwrap_or(""),
            })
            .collect();
        Some(shown.join(" "))
    };
    if files.is_empty() {
        let input = call.fd(0);
        let mut number = 0;
        while let Some((line, _)) = next_line(&input).await {
            number += 1;
            if let Some(text) = print(&line, number) {
                call.out(format!("{text}\n")).await?;
            }
        }
        return Ok(0);
    }
    let (inputs, code) = contents(call, files).await;
    let all: Vec<u8> = inputs.into_iter().flat_map(|(_, bytes)| bytes).collect();
    for (number, line) in String::from_utf8_lossy(&all).lines().enumerate() {
        if let Some(text) = print(line, number + 1) {
            call.out(format!("{text}\n")).await?;
        }
    }
    Ok(code)
}

enum Condition {
    Always,
    Matches(Regex),
    Line(usize),
}

enum Field {
    Whole,
    Number(usize),
    Last,
}

fn awk_program(program: &str) -> Option<(Condition, Vec<Field>)> {
    let program = program.trim();
    let (condition, action) = program.split_at(program.rfind('{')?);
    let condition = condition.trim();
    let condition = if condition.is_empty() {
        Condition::Always
    } else if let Some(number) = condition.strip_prefix("NR==") {
        Condition::Line(number.trim().parse().ok()?)
    } else {
        let pattern = condition.strip_prefix('/')?.strip_suffix('/')?;
        Condition::Matches(Regex::extended(pattern, false).ok()?)
    };
    let action = action
        .strip_prefix('{')?
        .trim_end()
        .strip_suffix('}')?
        .trim();
    let action = action.trim_end_matches(';').split(';').next()?.trim();
    let arguments = action.strip_prefix("print")?.trim();
    if arguments.is_empty() {
        return Some((condition, vec![Field::Whole]));
    }
    let fields = arguments
        .split(',')
        .map(|field| match field.trim() {
            "$0" => Some(Field::Whole),
            "$NF" => Some(Field::Last),
            field => Some(Field::Number(
                field
                    .strip_prefix('$')?
                    .parse()
                    .ok()
                    .filter(|number| *number > 0)?,
            )),
        })
        .collect::<Option<Vec<_>>>()?;
    Some((condition, fields))
}

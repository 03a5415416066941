//! `grep`, `egrep`, `fgrep`.

use super::options::{Given, Order, parse};
use super::text::next_line;
use crate::unix::fd::Fd;
use crate::unix::process::{Call, Done};
use crate::unix::regex::Regex;

pub(super) async fn main(call: &mut Call) -> Done {
    let given = parse(call, "qEFcvinoxwlhHsre:f:m:A:B:", Order::Mixed).await?;
    for option in ['r', 'f', 'A', 'B'] {
        if given.has(option) {
            return call
                .fail_with(2, &format!("option -{option} is not simulated"))
                .await;
        }
    }
    let mut operands = given.operands.clone();
    let mut patterns: Vec<String> = given.values('e').map(str::to_owned).collect();
    if patterns.is_empty() {
        if operands.is_empty() {
            return call.fail_with(2, "missing pattern").await;
        }
        patterns.push(operands.remove(0));
    }
    let expressions = expressions(call, &given, &patterns).await?;
    let several = operands.len() > 1;
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    let (mut found, mut missing) = (false, false);
    for operand in &operands {
        let input = match operand.as_str() {
            "-" => Ok(call.fd(0)),
            path => call.read(path).await.map(Fd::of),
        };
        let input = match input {
            Ok(input) => input,
            Err(errno) => {
                missing = true;
                if !given.has('s') {
                    call.err(format!("{}: {operand}: {errno}\n", call.name()))
                        .await;
                }
                continue;
            }
        };
        let prefix = if (several || given.has('H')) && !given.has('h') {
            format!("{operand}:")
        } else {
            String::new()
        };
        let count = search(call, &given, &expressions, &input, &prefix).await?;
        found |= count > 0;
        if found && given.has('q') {
            return Ok(0);
        }
        if given.has('l') && count > 0 {
            call.out(format!("{operand}\n")).await?;
        } else if given.has('c') {
            call.out(format!("{prefix}{count}\n")).await?;
        }
    }
    Ok(if missing { 2 } else { i32::from(!found) })
}

/// Compiles the patterns; each line of one is a pattern of its own.
async fn expressions(call: &Call, given: &Given, patterns: &[String]) -> Result<Vec<Regex>, i32> {
    let literal = given.has('F') || call.name() == "fgrep";
    let extended = given.has('E') || call.name() == "egrep";
    let ignore_case = given.has('i');
    let mut expressions = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        let regex = match pattern {
            text if literal && given.has('x') => {
                Regex::extended(&format!("^{}$", fancy_regex::escape(text)), ignore_case)
            }
            text if literal => Regex::literal(text, ignore_case),
            pattern if extended => Regex::extended(&whole(pattern, given), ignore_case),
            pattern => Regex::basic(&whole(pattern, given), ignore_case),
        };
        let Ok(regex) = regex else {
            let message = format!("bad regex '{pattern}': Invalid regexp");
            return call.fail_with(2, &message).await;
        };
        expressions.push(regex);
    }
    Ok(expressions)
}

/// Goes through one input and prints what fits; how many lines did.
async fn search(
    call: &Call,
    given: &Given,
    expressions: &[Regex],
    input: &Fd,
    prefix: &str,
) -> Result<usize, i32> {
    let most = given.value('m').and_then(|text| text.parse().ok());
    let most: usize = if given.has('q') {
        1
    } else {
        most.unwrap_or(usize::MAX)
    };
    let (mut count, mut number) = (0, 0);
    while count < most
        && let Some((line, _)) = next_line(input).await
    {
        number += 1;
        let fits = expressions.iter().any(|regex| regex.is_match(&line));
        if fits == given.has('v') {
            continue;
        }
        count += 1;
        if given.has('q') || given.has('c') || given.has('l') {
            continue;
        }
        let place = if given.has('n') {
            format!("{number}:")
        } else {
            String::new()
        };
        if given.has('o') {
            for part in expressions.iter().flat_map(|regex| regex.matches(&line)) {
                call.out(format!("{prefix}{place}{part}\n")).await?;
            }
        } else {
            call.out(format!("{prefix}{place}{line}\n")).await?;
        }
    }
    Ok(count)
}

/// The pattern with `-x` and `-w` taken into it.
fn whole(pattern: &str, given: &Given) -> String {
    if given.has('x') {
        format!("^{pattern}$")
    } else if given.has('w') {
        format!("\\b{pattern}\\b")
    } else {
        pattern.to_owned()
    }
}

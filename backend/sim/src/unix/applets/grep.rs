//! `grep`, `egrep`, `fgrep`.

use super::options::{Order, parse};
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
    let mut expressions = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        let literal = given.has('F') || call.name() == "fgrep";
        let extended = given.has('E') || call.name() == "egrep";
        let mut regex = if literal {
            Regex::literal(pattern, given.has('i'))
        } else if extended {
            Regex::extended(&whole(pattern, &given), given.has('i'))
        } else {
            Regex::basic(&whole(pattern, &given), given.has('i'))
        };
        if literal && given.has('x') {
            regex = Regex::extended(
                &format!("^{}$", fancy_regex::escape(pattern)),
                given.has('i'),
            );
        }
        match regex {
            Ok(regex) => expressions.push(regex),
            Err(_) => {
                return call
                    .fail_with(2, &format!("bad regex '{pattern}': Invalid regexp"))
                    .await;
            }
        }
    }
    let several = operands.len() > 1;
    if operands.is_empty() {
        operands.push("-".to_owned());
    }
    let most: usize = given
        .value('m')
        .and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX);
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
        let mut count = 0;
        let mut number = 0;
        while count < most
            && let Some((line, _)) = next_line(&input).await
        {
            number += 1;
            let fits = expressions.iter().any(|regex| regex.is_match(&line));
            if fits == given.has('v') {
                continue;
            }
            count += 1;
            found = true;
            if given.has('q') {
                return Ok(0);
            }
            if given.has('c') || given.has('l') {
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
        if given.has('l') && count > 0 {
            call.out(format!("{operand}\n")).await?;
        } else if given.has('c') {
            call.out(format!("{prefix}{count}\n")).await?;
        }
    }
    Ok(if missing { 2 } else { i32::from(!found) })
}

/// The pattern with `-x` and `-w` taken into it.
fn whole(pattern: &str, given: &super::options::Given) -> String {
    if given.has('x') {
        format!("^{pattern}$")
    } else if given.has('w') {
        format!("\\b{pattern}\\b")
    } else {
        pattern.to_owned()
    }
}

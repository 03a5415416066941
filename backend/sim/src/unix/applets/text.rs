//! Lines of text: `head`, `tail`, `wc`, `sort`, `uniq`.

use std::time::Duration;

use super::options::{Order, parse};
use crate::unix::fd::Fd;
use crate::unix::process::{Call, Done};

/// Lines with their line feeds.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// All operands' bytes (standard input when there are none); complains of those that cannot be read.
pub(super) async fn contents(call: &Call, operands: &[String]) -> (Vec<(String, Vec<u8>)>, i32) {
    if operands.is_empty() {
        return (vec![("-".to_owned(), call.fd(0).read_all().await)], 0);
    }
    let mut read = Vec::new();
    let mut code = 0;
    for operand in operands {
        match call.read(operand).await {
            Ok(bytes) => read.push((operand.clone(), bytes)),
            Err(errno) => {
                call.err(format!("{}: {operand}: {errno}\n", call.name()))
                    .await;
                code = 1;
            }
        }
    }
    (read, code)
}

pub(super) async fn head_or_tail(call: &mut Call) -> Done {
    // The old form: `head -5`.
    if let Some(first) = call.argv.get_mut(1)
        && first.len() > 1
        && first[1..].chars().all(|c| c.is_ascii_digit())
        && first.starts_with('-')
    {
        *first = format!("-n{}", &first[1..]);
    }
    let given = parse(call, "n:c:fFqvs:", Order::Mixed).await?;
    let in_bytes = given.has('c');
    let text = given
        .value('c')
        .or_else(|| given.value('n'))
        .unwrap_or("10")
        .to_owned();
    let Ok(count) = text.trim_start_matches(['+', '-']).parse::<usize>() else {
        return call.fail(&format!("invalid number '{text}'")).await;
    };
    let head = call.name() == "head";
    if head && given.operands.len() < 2 && !text.starts_with('-') {
        let input = match given.operands.first() {
            None => call.fd(0),
            Some(path) => match call.open(path) {
                Ok(input) => input,
                Err(errno) => return call.fail(&format!("{path}: {errno}")).await,
            },
        };
        return head_of_stream(call, &input, count, in_bytes).await;
    }
    let (inputs, code) = contents(call, &given.operands).await;
    for (name, bytes) in &inputs {
        if inputs.len() > 1 && !given.has('q') {
            call.out(format!("==> {name} <==\n")).await?;
        }
        let units: Vec<&[u8]> = if in_bytes {
            bytes.chunks(1).collect()
        } else {
            lines(bytes)
        };
        let range = match (head, text.chars().next()) {
            (true, Some('-')) => 0..units.len().saturating_sub(count),
            (true, _) => 0..count.min(units.len()),
            (false, Some('+')) => count.saturating_sub(1).min(units.len())..units.len(),
            (false, _) => units.len().saturating_sub(count)..units.len(),
        };
        call.out(units[range].concat()).await?;
    }
    if !head && (given.has('f') || given.has('F')) {
        return follow(call, &given.operands).await;
    }
    Ok(code)
}

/// `head` of a stream ends as soon as it has enough.
async fn head_of_stream(call: &Call, input: &Fd, count: usize, in_bytes: bool) -> Done {
    let mut left = count;
    while left > 0 {
        let piece = if in_bytes {
            input.read().await
        } else {
            input.read_line().await
        };
        let Some(piece) = piece else { break };
        let take = if in_bytes {
            left.min(piece.len())
        } else {
            piece.len()
        };
        left -= if in_bytes { take } else { 1 };
        call.out(piece.slice(..take)).await?;
    }
    Ok(0)
}

async fn follow(call: &Call, operands: &[String]) -> Done {
    let Some(path) = operands.first() else {
        return Ok(0);
    };
    let Ok(fd) = call.machine.base().open(&call.path(path)) else {
        return Ok(1);
    };
    // What is there was shown already.
    fd.read_all().await;
    loop {
        if let Some(piece) = fd.read().await {
            call.out(piece).await?;
        }
        // Real time also at an instant pace: nothing else would ever add to the file.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

pub(super) async fn wc(call: &mut Call) -> Done {
    let given = parse(call, "lwcm", Order::Mixed).await?;
    let (inputs, code) = contents(call, &given.operands).await;
    let all = !(given.has('l') || given.has('w') || given.has('c') || given.has('m'));
    for (name, bytes) in &inputs {
        let text = String::from_utf8_lossy(bytes);
        let mut counts = Vec::new();
        if all || given.has('l') {
            counts.push(text.matches('\n').count());
        }
        if all || given.has('w') {
            counts.push(text.split_whitespace().count());
        }
        if all || given.has('c') || given.has('m') {
            counts.push(bytes.len());
        }
        let mut line = if let [single] = counts.as_slice() {
            single.to_string()
        } else {
            counts
                .iter()
                .map(|count| format!("{count:>10}"))
                .collect::<String>()
        };
        if name != "-" {
            line.push_str(&format!(" {name}"));
        }
        call.out(format!("{line}\n")).await?;
    }
    Ok(code)
}

pub(super) async fn sort(call: &mut Call) -> Done {
    let given = parse(call, "urnk:t:", Order::Mixed).await?;
    let (inputs, code) = contents(call, &given.operands).await;
    let bytes: Vec<u8> = inputs.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let key = given
        .value('k')
        .and_then(|key| key.split([',', '.', 'n']).next()?.parse::<usize>().ok());
    let separator = given.value('t').and_then(|text| text.chars().next());
    let field = |line: &str| -> String {
        match (key, separator) {
            (Some(key), Some(separator)) => {
                line.split(separator).nth(key - 1).unwrap_or("").to_owned()
            }
            (Some(key), None) => line
                .split_whitespace()
                .nth(key - 1)
                .unwrap_or("")
                .to_owned(),
            (None, _) => line.to_owned(),
        }
    };
    let number = |line: &str| -> i64 {
        let text = field(line);
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '-')
            .unwrap_or(text.len());
        text[..end].parse().unwrap_or(0)
    };
    let numeric = given.has('n') || given.value('k').is_some_and(|key| key.ends_with('n'));
    let mut sorted: Vec<&str> = text.lines().collect();
    if numeric {
        sorted.sort_by_key(|line| number(line));
    } else {
        sorted.sort_by_key(|line| field(line));
    }
    if given.has('r') {
        sorted.reverse();
    }
    if given.has('u') {
        sorted.dedup();
    }
    call.out(
        sorted
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .await?;
    Ok(code)
}

pub(super) async fn uniq(call: &mut Call) -> Done {
    let given = parse(call, "cdu", Order::Mixed).await?;
    let (inputs, code) = contents(call, &given.operands).await;
    let bytes: Vec<u8> = inputs.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for line in text.lines() {
        match groups.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            _ => groups.push((line, 1)),
        }
    }
    for (line, count) in groups {
        let shown = (!given.has('d') || count > 1) && (!given.has('u') || count == 1);
        if shown && given.has('c') {
            call.out(format!("{count:>7} {line}\n")).await?;
        } else if shown {
            call.out(format!("{line}\n")).await?;
        }
    }
    Ok(code)
}

/// The lines of a stream as they come, without their line feeds.
pub(super) async fn next_line(fd: &Fd) -> Option<(String, bool)> {
    let piece = fd.read_line().await?;
    let text = String::from_utf8_lossy(&piece);
    match text.strip_suffix('\n') {
        Some(line) => Some((line.to_owned(), true)),
        None => Some((text.into_owned(), false)),
    }
}

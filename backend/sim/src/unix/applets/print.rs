//! Tools that write what they are told: `echo`, `seq`, `basename`, …

use super::options::{Order, parse};
use super::printf::unescape;
use crate::unix::files;
use crate::unix::process::{Call, Done};

pub(super) async fn echo(call: &mut Call) -> Done {
    let mut words = call.args();
    let (mut newline, mut escapes) = (true, false);
    while let Some((first, rest)) = words.split_first() {
        let options = first.strip_prefix('-').filter(|letters| {
            !letters.is_empty()
                && letters
                    .chars()
                    .all(|letter| matches!(letter, 'n' | 'e' | 'E'))
        });
        let Some(options) = options else { break };
        for letter in options.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        words = rest;
    }
    let mut text = words.join(" ");
    if escapes {
        if let Some((before, _)) = text.split_once("\\c") {
            text = before.to_owned();
            newline = false;
        }
        text = unescape(&text);
    }
    if newline {
        text.push('\n');
    }
    call.out(text).await?;
    Ok(0)
}

pub(super) async fn yes(call: &mut Call) -> Done {
    let line = if call.args().is_empty() {
        "y".to_owned()
    } else {
        call.args().join(" ")
    };
    loop {
        call.out(format!("{line}\n").repeat(1024)).await?;
        tokio::task::yield_now().await;
    }
}

pub(super) async fn seq(call: &mut Call) -> Done {
    let numbers: Option<Vec<i64>> = call.args().iter().map(|word| word.parse().ok()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Some([last]) => (1, 1, *last),
        Some([first, last]) => (*first, 1, *last),
        Some([first, step, last]) => (*first, *step, *last),
        _ => return call.fail("invalid number").await,
    };
    let mut at = first;
    while step != 0 && (if step > 0 { at <= last } else { at >= last }) {
        call.out(format!("{at}\n")).await?;
        at += step;
    }
    Ok(0)
}

pub(super) async fn pwd(call: &mut Call) -> Done {
    call.out(format!("{}\n", call.cwd)).await?;
    Ok(0)
}

pub(super) async fn basename(call: &mut Call) -> Done {
    let given = parse(call, "", Order::Mixed).await?;
    let Some(path) = given.operands.first() else {
        return call.fail("missing operand").await;
    };
    let trimmed = path.trim_end_matches('/');
    let name = trimmed
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or("/");
    let suffix = given.operands.get(1).map_or("", String::as_str);
    let short = name
        .strip_suffix(suffix)
        .filter(|short| !short.is_empty())
        .unwrap_or(name);
    call.out(format!("{short}\n")).await?;
    Ok(0)
}

pub(super) async fn dirname(call: &mut Call) -> Done {
    let given = parse(call, "", Order::Mixed).await?;
    let Some(path) = given.operands.first() else {
        return call.fail("missing operand").await;
    };
    let folder = if path.trim_end_matches('/').contains('/') || path.starts_with('/') {
        files::parent(path)
    } else {
        "."
    };
    call.out(format!("{folder}\n")).await?;
    Ok(0)
}

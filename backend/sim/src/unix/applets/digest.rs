//! Bytes in other clothes: `base64`, `sha256sum`, `od`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::options::{Order, parse};
use super::text::contents;
use crate::unix::process::{Call, Done};

pub(super) async fn base64(call: &mut Call) -> Done {
    let given = parse(call, "dw:", Order::Mixed).await?;
    let (inputs, code) = contents(call, &given.operands).await;
    for (_, bytes) in inputs {
        if given.has('d') {
            let text: Vec<u8> = bytes
                .into_iter()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            match STANDARD.decode(&text) {
                Ok(decoded) => call.out(decoded).await?,
                Err(_) => return call.fail("truncated input").await,
            }
            continue;
        }
        let text = STANDARD.encode(&bytes);
        let width: usize = given
            .value('w')
            .and_then(|width| width.parse().ok())
            .unwrap_or(76);
        if width == 0 {
            call.out(text).await?;
            continue;
        }
        let lines = text.as_bytes().chunks(width).map(String::from_utf8_lossy);
        call.out(lines.map(|line| format!("{line}\n")).collect::<String>())
            .await?;
    }
    Ok(code)
}

pub(super) async fn sha256sum(call: &mut Call) -> Done {
    let given = parse(call, "cs", Order::Mixed).await?;
    let (inputs, mut code) = contents(call, &given.operands).await;
    for (name, bytes) in inputs {
        if !given.has('c') {
            call.out(format!("{}  {name}\n", hex::encode(Sha256::digest(&bytes))))
                .await?;
            continue;
        }
        for line in String::from_utf8_lossy(&bytes).lines() {
            let Some((sum, file)) = line.split_once("  ") else {
                return call.fail("no checksum lines found").await;
            };
            let right = call
                .read(file)
                .await
                .is_ok_and(|bytes| hex::encode(Sha256::digest(&bytes)) == sum);
            if !given.has('s') {
                call.out(format!("{file}: {}\n", if right { "OK" } else { "FAILED" }))
                    .await?;
            }
            if !right {
                code = 1;
            }
        }
        if code != 0 && !given.has('s') {
            call.err("sha256sum: WARNING: 1 of 1 computed checksums did NOT match\n")
                .await;
        }
    }
    Ok(code)
}

/// `od -An -tx1`; other forms are refused.
pub(super) async fn od(call: &mut Call) -> Done {
    let given = parse(call, "A:t:vN:", Order::Mixed).await?;
    if given.value('A') != Some("n") || given.value('t') != Some("x1") {
        return call.fail("only od -An -tx1 is simulated").await;
    }
    let most = given
        .value('N')
        .and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    if given.operands.is_empty() && most < usize::MAX {
        let input = call.fd(0);
        while bytes.len() < most
            && let Some(piece) = input.read().await
        {
            bytes.extend_from_slice(&piece);
        }
    } else {
        let (inputs, _) = contents(call, &given.operands).await;
        bytes = inputs.into_iter().flat_map(|(_, bytes)| bytes).collect();
    }
    bytes.truncate(most);
    for line in bytes.chunks(16) {
        let text: String = line.iter().map(|byte| format!(" {byte:02x}")).collect();
        call.out(format!("{text}\n")).await?;
    }
    Ok(0)
}

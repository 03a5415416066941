//! What the program logs, and how.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::settings::{Source, WrongSetting};

/// Begins logging to standard error as the settings say.
pub(crate) fn begin(source: &Source) -> Result<(), WrongSetting> {
    let wanted = source.required("PROXIMITY_LOG")?;
    write(source, &wanted)
}

/// The same where a person looks at the terminal: nothing but what is wrong, unless the settings say otherwise.
pub(crate) fn begin_quietly(source: &Source) -> Result<(), WrongSetting> {
    if source.has("PROXIMITY_LOG") {
        begin(source)
    } else {
        write(source, "warn")
    }
}

fn write(source: &Source, wanted: &str) -> Result<(), WrongSetting> {
    // The schema's steps are told in one line by the store.
    let filter = EnvFilter::try_new(format!("sea_orm_migration=warn,{wanted}")).map_err(|_| {
        source.wrong(
            "PROXIMITY_LOG",
            "a log filter, e.g. info or info,proxmox=debug",
        )
    })?;
    let colours = std::io::stderr().is_terminal();
    let registry = tracing_subscriber::registry().with(filter);
    let written = match source.required("PROXIMITY_LOG_FORMAT")?.as_str() {
        "json" => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
        "text" => registry
            .with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr))
            .try_init(),
        _ => return Err(source.wrong("PROXIMITY_LOG_FORMAT", "text or json")),
    };
    // Only a test that begins twice can be refused.
    drop(written);
    Ok(())
}

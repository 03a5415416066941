//! Tables: one row a thing, plain columns, as wide as the terminal and no wider.

use std::io;

use comfy_table::{Cell, ContentArrangement, Table, presets};

use crate::{Console, text::clean};

/// Prints rows under a header; `none` where there are no rows. Cells are cleaned here, so no name can be missed.
pub(crate) fn print<const COLUMNS: usize>(
    console: &mut Console,
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
    none: &str,
) -> io::Result<()> {
    let mut table = plain(console);
    table.set_header(header.map(Cell::new));
    table.add_rows(
        rows.into_iter()
            .map(|row| row.map(|cell| Cell::new(clean(&cell)))),
    );
    // The answer is an empty table, which a script reads as such; the sentence is for people.
    if table.row_count() == 0 {
        return console.note(none);
    }
    draw(console, &mut table)
}

/// Prints what is known of one thing: a name and a value a line. Those without a value are left out.
pub(crate) fn fields(console: &mut Console, fields: &[(&str, Option<String>)]) -> io::Result<()> {
    let mut table = plain(console);
    for (name, value) in fields {
        if let Some(value) = value {
            let lines: Vec<_> = value.lines().map(clean).collect();
            table.add_row([Cell::new(format!("{name}:")), Cell::new(lines.join("\n"))]);
        }
    }
    draw(console, &mut table)
}

fn plain(console: &Console) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).force_no_tty();
    if let Some(width) = console.width {
        table
            .set_width(width.max(40))
            .set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table
}

fn draw(console: &mut Console, table: &mut Table) -> io::Result<()> {
    // Columns are known once there are rows.
    for column in 0..table.column_count() {
        if let Some(column) = table.column_mut(column) {
            column.set_padding((0, 2));
        }
    }
    for line in table.lines() {
        console.say(line.trim_end())?;
    }
    Ok(())
}

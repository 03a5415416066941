//! The catalog inside the program.

use catalog::Catalog;
use rust_embed::RustEmbed;

/// The files of `catalog/`; in a debug build read from disk at each start.
#[derive(RustEmbed)]
#[folder = "catalog/"]
struct Files;

/// The catalog that comes with the program.
pub(crate) fn catalog() -> Result<Catalog, catalog::Error> {
    Catalog::from_files(Files::iter().filter_map(|path| {
        let file = Files::get(&path)?;
        Some((path.into_owned(), file.data.into_owned()))
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_catalog_is_whole() {
        let catalog = super::catalog().unwrap();
        assert!(catalog.apps().count() >= 10);
        assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    }
}

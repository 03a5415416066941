//! A copy of a SQLite file beside it, made before its schema is changed.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::{Error, Result, Store, place::Place};

impl Store {
    /// Copies the database as it is into a new file beside it, named after what is about to happen, and answers its
    /// path. `None` on PostgreSQL, which has its own ways of being copied.
    pub(crate) async fn copy_before(&self, what: &str) -> Result<Option<PathBuf>> {
        let Place::File(path) = &self.inner.place else {
            return Ok(None);
        };
        let copy = reserve(path, what).map_err(|error| not_made(path, &error))?;
        let made = self.vacuum_into(&copy).await;
        let made = made.and_then(|()| {
            // What is about to be changed must not be the only whole one when the power fails.
            fs::File::open(&copy)
                .and_then(|file| file.sync_all())
                .map_err(|error| not_made(path, &error))
        });
        match made {
            Ok(()) => Ok(Some(copy)),
            Err(error) => {
                // Half a copy is worse than none: somebody could trust it.
                let _ = fs::remove_file(&copy);
                Err(error)
            }
        }
    }

    async fn vacuum_into(&self, copy: &Path) -> Result<()> {
        let name = copy
            .to_str()
            .ok_or_else(|| Error::Unusable("the path of the database is not UTF-8".to_owned()))?;
        let statement =
            Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [name.into()]);
        match self.inner.connection.execute_raw(statement).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match self.inner.place.told(error.into()) {
                Error::Unusable(text) => Error::Unusable(format!(
                    "no copy of the database can be made before it is changed, so that it is left as it is: {text}"
                )),
                other => other,
            }),
        }
    }
}

fn not_made(path: &Path, error: &io::Error) -> Error {
    match Place::inaccessible(path, error) {
        Error::Unusable(text) => Error::Unusable(format!(
            "no copy of the database can be made before it is changed, so that it is left as it is: {text}"
        )),
        other => other,
    }
}

/// Makes an empty file of a name that nobody has, for its owner alone.
fn reserve(path: &Path, what: &str) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".before-{what}.{number}"));
        let copy = PathBuf::from(name);
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&copy)
        {
            Ok(_) => return Ok(copy),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

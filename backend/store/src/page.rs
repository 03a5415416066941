//! Pages of long lists, cut by key: a row that is added or removed meanwhile neither repeats nor hides another one.

use std::str::FromStr;

use api::Page;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
    Select, Value,
};

use crate::{Error, Result};

/// Rows of a page when nobody says how many.
const USUAL: u64 = 50;
/// Most rows of a page.
const MOST: u64 = 500;

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    /// `next` of the page before; the first page, when absent.
    pub cursor: Option<String>,
    /// How many rows; 50 when absent, 500 at most.
    pub limit: Option<u64>,
}

impl PageRequest {
    /// The first page, of so many rows.
    pub fn first(limit: u64) -> Self {
        Self {
            cursor: None,
            limit: Some(limit),
        }
    }

    /// The page after this one.
    #[must_use]
    pub fn after<T>(&self, page: &Page<T>) -> Self {
        Self {
            cursor: page.next.clone(),
            limit: self.limit,
        }
    }

    fn limit(&self) -> u64 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// A cursor is the key of the last row before the page; to the client it is opaque.
    pub(crate) fn cursor<K: FromStr>(&self) -> Result<Option<K>> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|_| Error::Invalid("the cursor is not one of this list".to_owned()))
        };
        self.cursor.as_ref().map(parse).transpose()
    }
}

/// The rows of a page and one more, newest first; `column` is the key.
pub(crate) fn before<E: EntityTrait, C: ColumnTrait>(
    rows: Select<E>,
    column: C,
    cursor: Option<impl Into<Value>>,
    request: &PageRequest,
) -> Select<E> {
    rows.apply_if(cursor, |rows, key| rows.filter(column.lt(key)))
        .order_by_desc(column)
        .limit(request.limit() + 1)
}

/// Takes the one row too many off again: if it is there, there is a next page.
pub(crate) fn cut<T>(
    mut rows: Vec<T>,
    request: &PageRequest,
    key: impl Fn(&T) -> String,
) -> Page<T> {
    let limit = usize::try_from(request.limit()).expect("500 at most");
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(key);
    Page { items: rows, next }
}

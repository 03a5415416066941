//! What each call answers, by what it is about.

pub(super) mod access;
pub(super) mod containers;
pub(super) mod nodes;
pub(super) mod overview;
pub(super) mod storages;
pub(super) mod tasks;

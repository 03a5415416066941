//! The REST API with a cluster behind it, as an administrator, as a token with few rights, as a stranger.

mod apps;
mod audit;
mod bulk;
mod events;
mod pages;
mod people;

//! Behaviour of the whole: the program as a process, over real sockets, against a simulated cluster, and
//! against real containers in the lab.

mod api;
mod lab;
mod processes;
mod operations;
mod world;

//! Behaviour of the whole: the program as a process, over real sockets, against a simulated cluster, and
//! against real containers in the lab.

mod lab;
mod operations;
mod world;

//! Steps as containers of a Docker engine.
//!
//! A container is named after its step, so that a second start finds the first. Containers get no host mounts, no
//! new privileges and no more cpu and memory than the step asks for; they outlive this server.

mod build_context;
mod builds;
mod container_log;
mod container_spec;
mod docker_runner;
mod engine;
mod engine_build;
mod engine_reply;

pub use self::docker_runner::DockerRunner;

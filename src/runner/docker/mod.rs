//! Steps as containers on a Docker engine.
//!
//! A container is named after its step, so that a second start finds the first. Containers get no host mounts, no
//! new privileges, and no more CPU and memory than the step requests. They outlive this server.

mod build_context;
mod build_progress;
mod buildkit;
mod container_file;
mod container_log;
mod container_log_stream;
mod container_spec;
mod docker_runner;
mod dockerfile_images;
mod engine;
mod engine_build;
mod engine_reply;
mod running_builds;

pub use self::docker_runner::DockerRunner;

//! The integration tests, as one program.
//!
//! `WINDLASS_TEST_DATABASE_URL` makes them run on a PostgreSQL server instead of SQLite; tests that need a Docker
//! engine or an image registry run where `WINDLASS_TEST_DOCKER` and `WINDLASS_TEST_REGISTRY` name them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]
#![allow(clippy::disallowed_methods, reason = "tests choose their own surroundings")]

mod access;
mod agents;
mod alerts;
mod architecture;
mod backup;
mod build;
mod calendar_files;
mod cloud;
mod command_line;
mod concurrent_changes;
mod concurrent_settings;
mod configuration;
mod conformance;
mod console;
mod container_address;
mod container_logs;
mod contract;
mod cors;
mod credentials;
mod database;
mod declaration_schema;
mod doctor;
mod documentation;
mod edge;
mod engine;
mod entity_tags;
mod environments;
mod examples;
mod fake;
mod forecast;
mod git_server;
mod glances;
mod group_commit;
mod harness;
mod heartbeat_url;
mod job_checks;
mod jobs;
mod jwt;
mod kubernetes;
mod listener;
mod masking;
mod monitoring;
mod operator_log;
mod organizations;
mod outcomes;
mod overview;
mod plan_view;
mod processes;
mod pushes;
mod query_plans;
mod recovery;
mod registries;
mod retention;
mod runner;
mod runs;
mod schema;
mod server;
mod shutdown;
mod simulation;
mod surface;
mod terrakube;
mod tls;
mod torture;
mod upgrade;
mod validate;
mod words;
mod world;

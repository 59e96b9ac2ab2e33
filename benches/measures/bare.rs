//! The floor of a request: a handler that sends fixed bytes.

use std::process::Command;

use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{EndpointExt as _, Route, get, handler};

use super::server::Server;

#[handler]
fn send(body: poem::web::Data<&String>) -> poem::Response {
    poem::Response::builder().content_type("application/json").body(body.0.clone())
}

/// Prints an address, and serves the content of a file there until killed.
pub(crate) async fn child(file: &str) {
    let body = std::fs::read_to_string(file).unwrap();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    println!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
    let routes = Route::new().at("/", get(send).post(send)).data(body);
    poem::Server::new_with_acceptor(acceptor).run(routes).await.unwrap();
}

/// A command below other programs.
pub(crate) fn below(before: &[&str], own: Command) -> Command {
    let Some((program, rest)) = before.split_first() else { return own };
    let mut command = Command::new(program);
    command.args(rest).arg(own.get_program()).args(own.get_args());
    command
}

/// Starts it as a process of its own.
pub(crate) fn serve(body: &str) -> Server {
    serve_on(&[], body)
}

/// The same below other programs, such as `taskset -c 0`.
pub(crate) fn serve_on(before: &[&str], body: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, body).unwrap();
    let own = Server::own(&["bare", file.to_str().unwrap()]);
    Server::spawn(&mut below(before, own)).greeting(false)
}

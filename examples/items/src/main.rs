//! Serves items, or shows what that looks like.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use apibase::{Server, shutdown_signal};
use chrono::Utc;
use clap::{Parser, Subcommand};
use items::demo;
use items::examples::api::ItemServiceServer;
use items::service::Items;
use items::store::RedbStore;
use items::use_cases::Clock;

/// A real gRPC service: the items of a shop, over an embedded store.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until Ctrl-C, on `GRPC__SERVER__HOST` and `GRPC__SERVER__PORT` (0.0.0.0 and 50051
    /// unless set).
    Serve {
        /// The file that keeps the items; made when it isn't there.
        #[arg(long, value_name = "PATH", default_value = "items.redb")]
        store: PathBuf,
    },
    /// Serves on a free port, calls every RPC, and shows what is sent and what comes back.
    Demo,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve { store } => serve(store).await,
        Command::Demo => demo::run(&mut std::io::stdout()).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(path: PathBuf) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let store = RedbStore::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Server::from_env()?
        .add_servicer(ItemServiceServer::new(Items::over(store, Clock(Utc::now))?))
        .serve_until(shutdown_signal())
        .await?;
    Ok(())
}

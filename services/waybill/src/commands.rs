//! The commands of the binary.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its standard streams")]

mod backup;
mod claim;
mod database;
mod exit;
mod migrate;
mod role;
mod serve;
mod up;

use std::{
    io::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    compose::{self, Config},
    demo, rest, sandbox,
};

/// The order-to-delivery mesh.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = exit::CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole mesh in this process.
    Up {
        #[command(flatten)]
        up: up::Options,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Run one service, or the gateway, alone.
    Serve {
        #[command(flatten)]
        serve: Box<serve::Options>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Bring a service's database up to date, and end.
    Migrate {
        #[command(flatten)]
        migrate: migrate::Options,
        #[command(flatten)]
        mesh: mesh::Config,
    },
    /// Copy the embedded databases of a mesh, which may be running, as they are at one moment.
    Backup {
        #[command(flatten)]
        backup: backup::Options,
        #[command(flatten)]
        mesh: mesh::Config,
    },
    /// Put a backup back into a new directory.
    Restore {
        #[command(flatten)]
        restore: backup::RestoreOptions,
        #[command(flatten)]
        mesh: mesh::Config,
    },
    /// Run the whole mesh on a trading company's 830 orders.
    Demo {
        #[command(flatten)]
        up: up::Options,
        #[command(flatten)]
        demo: demo::Options,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Play the demo's warehouses and carrier against a running gateway.
    Sandbox {
        /// Address of the gateway.
        #[arg(long, env = "WAYBILL_GATEWAY_URL", default_value = "http://127.0.0.1:8080")]
        gateway: String,
        /// Seed of all random choices.
        #[arg(long, default_value_t = 7, env = "WAYBILL_DEMO_SEED")]
        seed: u64,
        /// A file with a bearer token or API key to call with, where the gateway takes credentials.
        #[arg(long, env = "WAYBILL_TOKEN_FILE", value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// Play without mishaps: nothing is rejected, short, late, lost or repeated.
        #[arg(long)]
        flawless: bool,
        #[command(flatten)]
        mesh: mesh::Config,
    },
    /// Print the description of the REST API.
    Openapi,
}

impl Command {
    /// The name and settings under which this command logs and traces.
    fn telemetry(&self) -> (&'static str, mesh::Config) {
        match self {
            Self::Up { settings, .. } => ("waybill", settings.config.mesh.clone()),
            Self::Serve { serve, settings } => (serve.name(), settings.config.mesh.clone()),
            Self::Migrate { mesh, .. }
            | Self::Backup { mesh, .. }
            | Self::Restore { mesh, .. }
            | Self::Sandbox { mesh, .. } => ("waybill", mesh.clone()),
            Self::Demo { settings, .. } if settings.config.mesh.log == mesh::Config::default().log => {
                // The demo shows a progress bar and a summary instead of logs.
                ("waybill", mesh::Config { log: "warn".to_owned(), ..settings.config.mesh.clone() })
            }
            Self::Demo { settings, .. } => ("waybill", settings.config.mesh.clone()),
            Self::Openapi => ("waybill", mesh::Config::default()),
        }
    }
}

/// Settings of every command that runs a service.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    gateway: gateway::Config,
}

/// The principal of a call without credentials: the local administrator until credentials are configured.
fn caller(config: &Config) -> mesh::Principal {
    if config.credentials.is_configured() {
        mesh::Principal::anonymous()
    } else {
        mesh::Principal::local_administrator()
    }
}

/// Refuses an address that other machines can reach while no credentials are configured.
fn refuse_exposure(setting: &str, address: IpAddr, config: &Config) -> anyhow::Result<()> {
    if address.is_loopback() || config.credentials.is_configured() {
        return Ok(());
    }
    Err(exit::Unusable(format!(
        "{setting} {address} can be reached from other machines, where everybody would be the administrator, because no \
         credentials are configured: set --oidc-issuer or --admin-token-file, or listen on 127.0.0.1"
    ))
    .into())
}

/// Runs the command of the process's arguments and returns the exit code: see the end of `--help`.
pub async fn run() -> ExitCode {
    mesh::install_process_defaults();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => {
            // A closed output is no error.
            wrong.print().ok();
            return if wrong.use_stderr() { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let (name, telemetry) = cli.command.telemetry();
    let guard = match mesh::telemetry::init(&telemetry, name) {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("waybill: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let outcome = match cli.command {
        Command::Up { up: options, settings } => {
            let Settings { config, gateway } = *settings;
            up::run(&options, &config, &gateway).await
        }
        Command::Serve { serve: options, settings } => {
            let Settings { config, gateway } = *settings;
            serve::run(*options, &config, &gateway).await
        }
        Command::Migrate { migrate, .. } => migrate::run(migrate).await,
        Command::Backup { backup: options, .. } => backup::take(options).await,
        Command::Restore { restore, .. } => backup::restore(restore).await,
        Command::Demo { up: mut options, demo, settings } => {
            let Settings { config, gateway } = *settings;
            options.data.get_or_insert_with(|| PathBuf::from("demo-data"));
            up::demo(&options, &demo, &config, &gateway).await
        }
        Command::Sandbox { gateway, seed, flawless, token_file, .. } => {
            let chances = if flawless { sandbox::Chances::NONE } else { sandbox::Chances::USUAL };
            play(&gateway, seed, chances, token_file.as_deref()).await
        }
        Command::Openapi => openapi(),
    };
    drop(guard);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (code, advice) = exit::of(&error);
            eprintln!("waybill: {error:#}");
            if let Some(advice) = advice {
                eprintln!("waybill: {advice}");
            }
            code
        }
    }
}

async fn play(gateway: &str, seed: u64, chances: sandbox::Chances, token: Option<&Path>) -> anyhow::Result<()> {
    let rest = rest::Rest::new(gateway)?.with_credential(token.map(mesh::credentials::read_token).transpose()?);
    println!("playing {} warehouses and a carrier against {gateway}, until interrupted", sandbox::WAREHOUSES.len());
    let partners = sandbox::Sandbox::new(rest, seed, chances);
    let interrupted = mesh::on_signals(&mesh::Stop::new(), Duration::ZERO)?;
    tokio::select! {
        ended = partners.play() => ended,
        () = interrupted => Ok(()),
    }
}

/// The routes follow from the contracts alone: no service is called.
fn openapi() -> anyhow::Result<()> {
    let clients = compose::ServiceClients::unconfigured()?;
    let document = gateway::openapi(proto::pool(), &clients.rest(&mesh::Principal::local_administrator()))?;
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

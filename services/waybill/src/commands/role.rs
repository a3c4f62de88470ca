//! What `waybill serve` runs, a service or the gateway, and the addresses of the services.

use clap::{
    Arg, ArgMatches, Args, Command, Error, FromArgMatches,
    builder::{PossibleValuesParser, TypedValueParser as _, ValueParser},
};
use mesh::Channel;

use crate::compose::{SERVICES, Service, ServiceClients};

const GATEWAY: &str = "gateway";

/// What a process of its own runs.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// A service that owns a database.
    Service(&'static Service),
    /// The REST API.
    Gateway,
}

impl Role {
    /// Reads the name of a service, or of the gateway.
    pub(super) fn parser() -> ValueParser {
        let names = SERVICES.iter().map(|service| service.name).chain([GATEWAY]);
        PossibleValuesParser::new(names).map(|name| Service::find(&name).map_or(Self::Gateway, Self::Service)).into()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Service(service) => service.name,
            Self::Gateway => GATEWAY,
        }
    }

    /// Default port of its gRPC.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Service(service) => service.port,
            Self::Gateway => 7000,
        }
    }
}

impl std::fmt::Debug for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The addresses of the services: `--order-url` and so on, one option for each entry of the table.
#[derive(Debug, Clone, Default)]
pub(super) struct ServiceUrls(Vec<(&'static str, String)>);

impl ServiceUrls {
    /// Channels to the addresses.
    pub(super) fn connect(&self, certificates: &mesh::tls::Files) -> anyhow::Result<ServiceClients> {
        let tls = mesh::tls::Client::load(certificates)?;
        self.0.iter().try_fold(ServiceClients::unconfigured()?, |clients, (service, url)| {
            Ok(clients.with(service, Channel::connect_over(url, tls.as_ref())?))
        })
    }
}

impl Args for ServiceUrls {
    fn augment_args(command: Command) -> Command {
        let option = |service: &Service| {
            let name = service.name;
            Arg::new(format!("{name}_url"))
                .long(format!("{name}-url"))
                .env(format!("WAYBILL_{}_URL", name.to_uppercase()))
                .default_value(format!("http://127.0.0.1:{}", service.port))
                .value_name("URL")
                .help(format!("Address of the {name} service, or several separated by commas"))
        };
        command.args(SERVICES.iter().map(option))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServiceUrls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let url = |service: &Service| {
            let url = matches.get_one::<String>(&format!("{}_url", service.name));
            Some((service.name, url?.clone()))
        };
        Ok(Self(SERVICES.iter().filter_map(url).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

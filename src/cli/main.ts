#!/usr/bin/env node
/** The `blumfeld` command. A command's own code is loaded when it is asked for, so that none pays for the others. */
const HELP = `blumfeld: a broker that speaks Apache Kafka's protocol and keeps its files

  blumfeld start [server.properties] [options]   runs a broker until SIGTERM or SIGINT
      --port N                  port of the first listener; 0 takes a free one
      --data-dir DIR            where the data is kept (default: ./data)
      --topic NAME[:PARTITIONS] topic to create; may be repeated
      --override KEY=VALUE      a setting by Apache Kafka's name; may be repeated
      --like-production         Apache Kafka's defaults, without those for development
      --log-level LEVEL         error, warn, info or debug (default: warn)
  blumfeld dump FILE [--json]   prints a log, index, snapshot or checkpoint file
  blumfeld verify DIR [--json]  says what is wrong with a data directory, by file and byte, and changes nothing
  blumfeld --version
  blumfeld --help

Settings come from the environment (KAFKA_LOG_RETENTION_MS, KAFKA_CFG_..., KAFKA_CREATE_TOPICS), then the
properties file, then the options; the later one wins.
`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'start': {
      const { start } = await import('./start.ts');
      return start(rest);
    }
    case 'dump': {
      const { dump } = await import('./dump.ts');
      return dump(rest);
    }
    case 'verify': {
      const { verify } = await import('./verify.ts');
      return verify(rest);
    }
    case '--version':
    case '-v': {
      const { version } = await import('./version.ts');
      process.stdout.write(`blumfeld ${version()}\n`);
      return 0;
    }
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(HELP);
      return 0;
    default:
      process.stderr.write(command === undefined ? HELP : `Unknown command ${command}; see blumfeld --help\n`);
      return 1;
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

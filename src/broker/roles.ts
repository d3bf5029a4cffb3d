/** What this node may be. It is a broker and its own only controller; settings that ask for another cluster are refused, not half obeyed. */
import type { SettingsView } from '../api/context.ts';
import { SettingsError } from './settings-error.ts';

/** Raises SettingsError. */
export function requireStandalone(settings: SettingsView): void {
  const roles = settings.list('process.roles');
  if (!(roles.length === 2 && roles.includes('broker') && roles.includes('controller'))) {
    throw new SettingsError(
      `process.roles=${roles.join(',')} is not there yet: this broker is its own controller; use process.roles=broker,controller`,
    );
  }
  const nodeId = settings.int('node.id');
  if (settings.explicit().has('broker.id') && settings.int('broker.id') !== nodeId) {
    throw new SettingsError(
      `\`node.id\` and \`broker.id\` must be set to the same value: they are ${nodeId} and ${settings.int('broker.id')}; leave broker.id out`,
    );
  }
  if (nodeId < 0) throw new SettingsError(`Invalid value ${nodeId} for configuration node.id: Value must be at least 0`);
  for (const voter of settings.list('controller.quorum.voters')) {
    const id = /^(\d+)@.+:\d+$/.exec(voter)?.[1];
    if (id === undefined)
      throw new SettingsError(`Invalid value ${voter} for configuration controller.quorum.voters: write id@host:port`);
    if (Number(id) !== nodeId) {
      throw new SettingsError(
        `controller.quorum.voters names node ${id}: joining a quorum is not there yet; name node.id=${nodeId} alone or leave it out`,
      );
    }
  }
  const servers = settings.list('controller.quorum.bootstrap.servers');
  const unread = servers.find((server) => !/^.+:\d+$/.test(server));
  if (unread !== undefined) {
    throw new SettingsError(
      `Failed to parse host name from ${unread} for the configuration controller.quorum.bootstrap.servers. Each entry should be in the form "{host}:{port}"`,
    );
  }
  if (servers.length > 1) {
    throw new SettingsError(
      'controller.quorum.bootstrap.servers names several controllers: joining a quorum is not there yet; leave it out',
    );
  }
}

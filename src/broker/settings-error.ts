/** What a person wrote cannot be obeyed. The message names the setting, the value and what to do; it is shown as it is, without a stack. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

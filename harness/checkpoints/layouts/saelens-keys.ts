/**
 * @file Which keys of a SAELens `cfg.json` may be passed over. A key that nobody knows could change what the SAE
 * computes, so it is refused unless its value says "off".
 */
import { UserError } from '../../errors.ts';
import { isOff } from '../fields.ts';

/** Keys whose values are read and checked elsewhere. */
const READ = `architecture activation_fn activation_fn_str activation_fn_kwargs k d_in d_sae apply_b_dec_to_input
  normalize_activations rescale_acts_by_decoder_norm finetuning_scaling_factor max_iterations residual_threshold
  stop_on_duplicate_support metadata meta`;

/** Keys that say where the SAE comes from: its model, site and data. */
const ORIGIN = `model_name model hook_name hook_point hook_layer hook_point_layer hook_eval hook_point_eval
  model_class_name model_kwargs model_from_pretrained_kwargs hf_hook_name neuronpedia_id prepend_bos context_size
  exclude_special_tokens seqpos_slice use_chat_formatting disable_concat_sequences sequence_separator_token
  begin_batch_token begin_sequence_token dataset dataset_path dataset_trust_remote_code is_dataset_tokenized
  tokenizer_name streaming use_cached_activations cached_activations_path new_cached_activations_path
  from_pretrained_path sae_lens_version sae_lens_training_version dtype device run_name name sae_id release saxbench`;

/** Keys of training and logging: they have done their work once the weights are written. */
const TRAINING = `lr lr_end lr_scheduler_name lr_warm_up_steps lr_decay_steps n_restart_cycles adam_beta1 adam_beta2
  l1_coefficient l1_warm_up_steps lp_norm l0_coefficient l0_warm_up_steps target_l0 pre_act_loss_coefficient
  aux_loss_coefficient k_aux jumprelu_init_threshold jumprelu_bandwidth jumprelu_sparsity_loss_mode
  jumprelu_ste_to_input jumprelu_tanh_scale topk_threshold_lr use_sparse_activations use_matryoshka_aux_loss
  matryoshka_widths noise_scale mse_loss_normalization scale_sparsity_penalty_by_decoder_norm normalize_sae_decoder
  decoder_init_norm decoder_heuristic_init decoder_orthogonal_init init_encoder_as_decoder_transpose
  b_dec_init_method expansion_factor use_ghost_grads feature_sampling_method feature_sampling_window
  feature_reinit_scale dead_feature_window dead_feature_threshold dead_feature_estimation_method resample_batches
  training_tokens total_training_tokens total_training_steps total_training_samples tokens_per_buffer
  train_batch_size train_batch_size_tokens train_batch_size_samples store_batch_size store_batch_size_prompts
  model_batch_size n_batches_in_buffer n_batches_for_norm_estimate n_tokens_per_buffer n_checkpoints
  activations_mixing_fraction prefetch_llm_batches shuffle seed verbose autocast autocast_lm compile_llm compile_sae
  llm_compilation_mode sae_compilation_mode llm_device act_store_device n_eval_batches eval_batch_size_prompts
  eval_every_n_wandb_logs log_to_wandb log_activations_store_to_wandb log_optimizer_state_to_wandb
  log_weights_to_wandb wandb_project wandb_entity wandb_id wandb_log_frequency logger checkpoint_path output_path
  save_final_checkpoint resume resume_from_checkpoint finetuning_method finetuning_tokens n_training_tokens`;

const PASSED_OVER = new Set(`${READ} ${ORIGIN} ${TRAINING}`.split(/\s+/));

/** Keys that choose another computation than the one here, each with the values that do not. */
const OFF: Readonly<Record<string, { values: readonly unknown[]; meaning: string }>> = {
  // Heads side by side are one row here, as in the weights.
  reshape_activations: { values: ['none', 'hook_z'], meaning: 'none or hook_z' },
  hook_head_index: { values: [], meaning: 'null: an SAE of one attention head is not supported' },
  hook_point_head_index: { values: [], meaning: 'null: an SAE of one attention head is not supported' },
  hook_name_out: { values: [], meaning: 'null with an architecture that is no transcoder' },
  hook_layer_out: { values: [], meaning: 'null with an architecture that is no transcoder' },
  hook_head_index_out: { values: [], meaning: 'null: a transcoder of one attention head is not supported' },
  hf_hook_name_out: { values: [], meaning: 'null with an architecture that is no transcoder' },
  use_error_term: { values: [], meaning: 'false: an SAE with its error added back reconstructs everything' },
};

/** Keys that name the site which a transcoder reconstructs. */
const OTHER_SITE: readonly string[] = ['hook_name_out', 'hook_layer_out', 'hf_hook_name_out'];

const shown = (value: unknown) => {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/**
 * Refuses a configuration that asks, or may ask, for another computation than this project's.
 *
 * @param cfg The whole `cfg.json`; `d_in` has been checked.
 * @param metadata Its `metadata`, where SAELens keeps the site since version 6. Other keys there change nothing.
 * @param transcodes Whether the architecture is one of those that reconstruct another site.
 * @throws UserError naming the key, what was expected and what was found.
 */
export function checkKeys(
  path: string,
  cfg: Record<string, unknown>,
  metadata: Record<string, unknown>,
  transcodes: boolean,
): void {
  const fail = (key: string, expected: string, value: unknown): never => {
    throw new UserError(`saelens ${path}: ${key}: expected ${expected}; found ${shown(value)}.`);
  };
  const { d_in, d_out = d_in } = cfg;
  if (!transcodes && d_out !== null && d_out !== d_in) {
    fail('d_out', `${d_in}, as d_in, with an architecture that is no transcoder`, d_out);
  }
  for (const [key, value] of [...Object.entries(cfg), ...Object.entries(metadata)]) {
    const known = Object.hasOwn(OFF, key) ? OFF[key]! : undefined;
    // Index 0 is a head too.
    const off = (isOff(value) && !(known && value === 0)) || (transcodes && OTHER_SITE.includes(key));
    if (known && !off && !known.values.includes(value)) fail(key, known.meaning, value);
  }
  for (const [key, value] of Object.entries(cfg)) {
    if (PASSED_OVER.has(key) || key === 'd_out' || Object.hasOwn(OFF, key) || isOff(value)) continue;
    fail(
      key,
      'no such key: it is not known here and may change what the SAE computes; take it out if it does not',
      value,
    );
  }
}

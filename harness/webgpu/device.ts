/** @file The adapter and its device: what it is, what it can hold, and what went wrong on it. */
import type { Dawn } from './packages.ts';

/** An adapter has no device of the full size without being asked for one. */
const LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** A device with what has gone wrong on it: WebGPU reports that aside, and every result after it is worth nothing. */
export interface Device {
  device: GPUDevice;
  info: GPUAdapterInfo;
  /** Largest tensor in bytes. */
  largest: number;
  /** @throws Error of the first fault. */
  check(): void;
}

/** Dawn forgets its devices when this is collected. */
let gpu: GPU | undefined;

/** @throws Error where there is no adapter. */
export async function openDevice(dawn: Dawn): Promise<Device> {
  gpu = dawn.create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('no adapter: Dawn finds no GPU with a driver for Vulkan, Metal or Direct3D 12');
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits });
  let fault: string | undefined;
  device.addEventListener('uncapturederror', (event) => {
    fault ??= (event as GPUUncapturedErrorEvent).error.message;
  });
  device.lost.then(({ message }) => {
    fault ??= `the device is lost: ${message}`;
  });
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  return {
    device,
    info: (adapter as unknown as { info: GPUAdapterInfo }).info,
    largest: Math.min(maxBufferSize, maxStorageBufferBindingSize),
    check() {
      if (fault !== undefined) throw new Error(`webgpu: ${fault.trim().split('\n')[0]}`);
    },
  };
}

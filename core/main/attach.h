/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach: the main process of one attachment. Takes the hand-over of a front
 * end (conf/handoff.h), has nsagent make the interface and the engine run on
 * it, answers, and from then on keeps both alive until the container ends or
 * a signal says so. Never parses a frame; holds the tap so that the interface
 * outlives an engine.
 */
#ifndef MAIN_ATTACH_H
#define MAIN_ATTACH_H

/* Runs with the descriptors of enum handoff_fd. Returns the exit status: 0
 * ended as it should, 1 the attachment failed, 2 nobody handed anything over. */
int attach_main(void);

#endif
